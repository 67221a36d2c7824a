/// Makes a `#[test]` of each rule of a suite; the suites' own macros call it.
#[doc(hidden)]
#[macro_export]
macro_rules! contract_tests {
    ($run:path, $fixture:expr, $suite:ident: $($rule:ident),+ $(,)?) => {
        $(
            #[test]
            fn $rule() {
                $run(async {
                    let fixture = $fixture.await;
                    $crate::testing::$suite::$rule(&fixture).await;
                });
            }
        )+
    };
}
