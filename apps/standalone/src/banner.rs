use std::path::Path;

use crate::endpoints::Endpoints;

/// Prints the addresses of all services and examples of requests.
pub(crate) fn print(endpoints: &Endpoints, database: &str, home: &Path) {
    let Endpoints { order_api, order_jobs, pharmacy_order, notification, .. } = endpoints;
    let letters = match &endpoints.letters {
        Some(page) => format!("{page} (shown there, not delivered)"),
        None => "sent to the mail server in SMTP_URL".to_owned(),
    };
    println!(
        "\nOrders is ready. Ctrl-C stops it; data stay in {home}\n\n\
         \x20 Place an order   {order_api}/swagger-ui/\n\
         \x20 Relay            {order_jobs}/swagger-ui/\n\
         \x20 Pharmacy         {pharmacy_order}/swagger-ui/\n\
         \x20 Notifications    {notification}/swagger-ui/\n\
         \x20 Letters          {letters}\n\
         \x20 Kafka            {kafka}\n\
         \x20 Schema registry  {schema_registry}\n\
         \x20 Postgres         {database}\n\n\
         Try:\n\
         \x20 curl -X PUT {notification}/api/customers/customer-1 -H 'content-type: application/json' \\\n\
         \x20   -d '{{\"email\": \"ada@example.org\", \"language\": \"en\"}}'\n\
         \x20 curl -i {order_api}/api/orders -H 'content-type: application/json' \\\n\
         \x20   -d '{{\"customerName\": \"Ada\", \"customerId\": \"customer-1\", \"items\": [{{\"productId\": 1, \"quantity\": 2}}]}}'\n\
         \x20 curl {pharmacy_order}/api/pharmacy/orders\n",
        home = home.display(),
        kafka = endpoints.kafka,
        schema_registry = endpoints.schema_registry,
    );
}
