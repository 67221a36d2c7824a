/// Makes one `#[test]` per test function of a contract. The macros of the contracts call it.
#[doc(hidden)]
#[macro_export]
macro_rules! contract_tests {
    ($run:path, $fixture:expr, $suite:ident: $($test:ident),+ $(,)?) => {
        $(
            #[test]
            fn $test() {
                $run(async {
                    let fixture = $fixture.await;
                    $crate::testing::$suite::$test(&fixture).await;
                });
            }
        )+
    };
}
