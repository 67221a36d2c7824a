/// Makes a `#[test]` of each rule of a suite; the suites' own macros call it.
#[doc(hidden)]
#[macro_export]
macro_rules! contract_tests {
    ($run:path, $world:expr, $suite:ident: $($rule:ident),+ $(,)?) => {
        $(
            #[test]
            fn $rule() {
                $run(async {
                    let world = $world.await;
                    $crate::testing::$suite::$rule(&world).await;
                });
            }
        )+
    };
}
