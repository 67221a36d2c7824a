# shellcheck shell=bash
# The part `erasure` of this check.

# Unique words: a search for them finds nothing else.
erased=erasure-customer marker_name=Quillfeather marker_mailbox=brambleton marker_note=Thistlewick marker_reason=Wolfsbane

erasure() {
    local answered arrivals remains=()
    rm -f "$work/healthy"
    script mail failing_mail_server "${port[mail]}" 0.3 "$work/healthy"
    start_services "$(mails)" RUST_LOG=trace
    "$python" "$here/put_contacts.py" "$(address notification-1)" others 50
    notification PUT /api/customers/$erased "{\"email\": \"$marker_mailbox@marker.example\", \"language\": \"en\"}" >/dev/null
    script others place_orders "$(address order-api)" 10 300 "others*50"
    script orders place_orders "$(address order-api)" 5 60 $erased --name "Xanthe $marker_name" --note "Ask for $marker_note."
    eventually 20 "an order is placed" has_lines orders 1
    script actions work_on_orders "$(address pharmacy-order)" "$work/orders.out" 2 20
    eventually 30 "half of the orders are placed" has_lines orders 30
    eventually 30 "letters have arrived" has_letters
    cancel "$(sed -n '2s/^{"order": "\([^"]*\)".*/\1/p' "$work/orders.out")"
    dump >"$work/before.dump"
    look_for "$work/before.dump" >"$work/before"
    grep -q '^notification.orders' "$work/before" && grep -q '^ordering.orders' "$work/before" &&
        grep -q '^pharmacy.orders' "$work/before" || fail "the search finds nothing, so this check proves nothing"
    log "before the erasure, the marker is in: $(cut -d' ' -f1 "$work/before" | sort -u | tr '\n' ' ')"

    notification DELETE /api/customers/$erased
    answered=$(date +%s.%N)
    # Orders of the customer are still placed, and events about others arrive only now.
    finished orders
    finished actions
    eventually 60 "all events are consumed" are_consumed
    erase_orders
    finished others
    touch "$work/healthy"
    eventually 180 "all other letters are sent" others_are_sent

    arrivals=$(letters_after "$answered")
    log "$arrivals letters arrived for the customer after the DELETE was answered"
    [ "$arrivals" -le $((2 * in_flight)) ] && [ "$(letters_after "$(plus "$answered" 5)")" = 0 ] ||
        fail "letters were sent to an erased customer"
    search_databases
    search_other_places
    [ ${#remains[@]} = 0 ] || fail "the customer is still in ${remains[*]}"
    end mail
    end_services
    # They are large.
    rm -f "$work"/*.log
}

cancel() { # ORDER
    curl -fsS --max-time 10 -o "$work/cancelled" -H 'content-type: application/json' \
        -d "{\"reason\": \"$marker_reason is better\"}" "http://$(address order-api)/api/orders/$1/cancel"
}
has_letters() { [ "$(grep -c "$marker_mailbox" "$work/mail.out")" -ge 10 ]; }
plus() { awk "BEGIN { printf \"%.3f\", $1 + $2 }"; }
letters_after() { # TIME
    grep "$marker_mailbox" "$work/mail.out" | sed -n 's/^{"at": \([0-9.]*\),.*/\1/p' | awk -v time="$1" '$1 > time' | wc -l
}
others_are_sent() {
    [ "$(sql "SELECT count(*) FROM notification.notifications
              WHERE channel = 'email' AND destination LIKE 'others-%' AND state = 'sent'")" -ge 300 ]
}
are_consumed() {
    get order-jobs-1 /api/outbox | grep -q '"unprocessed":0,' &&
        [ "$(sql "SELECT (SELECT count(*) FROM ordering.orders) = (SELECT count(*) FROM pharmacy.orders)
                     AND (SELECT count(*) FROM ordering.outbox) =
                         (SELECT count(*) FROM notification.notifications WHERE channel = 'log')")" = t ]
}

erase_orders() {
    RUST_LOG=trace "$programs/order-jobs" erase --customer $erased >"$work/erase.out" 2>"$work/erase.log" ||
        fail "cannot erase the customer: $(cat "$work/erase.out")"
}

# The program pg_dump may be in a different folder from the server programs.
pg_dump() {
    local pg program
    pg=$(postgres_bin)
    for program in "$pg/pg_dump" "$(dirname "$(readlink -f "$pg/initdb")")/pg_dump" "$(type -P pg_dump || true)"; do
        if [ -x "$program" ]; then echo "$program"; return; fi
    done
    fail "needs pg_dump (Debian: apt-get install postgresql-client)"
}

# Everything in the databases except the data of the outbox. It keeps each event as it was published, until
# OUTBOX_RETENTION_DAYS have passed: a later change could not be published again after a failover.
dump() {
    local database
    for database in orders registry; do
        "$(pg_dump)" --data-only --exclude-table-data='ordering.outbox' \
            --exclude-table-data='ordering.outbox_default' --exclude-table-data='ordering.outbox_2*' \
            "${DATABASE_URL%/orders}/$database"
    done
}

# Prints the lines that have a marker. In a dump, a line begins with the name of its table.
look_for() { # FILE…
    "$python" "$here/marker_patterns.py" $marker_name $marker_mailbox $marker_note $marker_reason >"$work/patterns"
    awk 'FILENAME ~ /\.dump$/ && /^COPY / { table = $2 }
         { print (FILENAME ~ /\.dump$/ ? table : FILENAME) " " $0 }' "$@" | grep -a -i -F -f "$work/patterns" || true
}

are_erased() {
    dump >"$work/after.dump"
    look_for "$work/after.dump" >"$work/found" || true
    [ ! -s "$work/found" ]
}
search_databases() {
    local deadline=$((SECONDS + 30))
    until are_erased; do
        if [ $SECONDS -ge $deadline ]; then
            cut -d' ' -f1 "$work/found" | sort | uniq -c
            remains+=("the databases")
            return
        fi
        sleep 1
    done
    log "name, address, note and reason are in no table"
}

search_other_places() {
    local service topic logs=()
    for service in "${services[@]}"; do get "$service" /metrics; done >"$work/metrics"
    for topic in order-created-topic pharmacy-order-topic; do
        $cluster java org.apache.kafka.tools.consumer.ConsoleConsumer --bootstrap-server "$KAFKA_BOOTSTRAP_SERVERS" \
            --topic $topic --from-beginning --timeout-ms 8000 --property print.key=true --property print.value=false \
            2>/dev/null || true
    done >"$work/keys"
    [ "$(wc -l <"$work/keys")" -ge 300 ] || fail "cannot read the keys of Kafka"
    cp "$(postgres_log)" "$work/postgres.log"
    for service in "${services[@]}" erase postgres; do logs+=("$work/$service.log"); done
    look_for "${logs[@]}" "$work/metrics" "$work/keys" >"$work/found-elsewhere"
    # The target of a log line is its third word.
    awk '{ $1 = substr($1, match($1, /[^\/]*$/)); print $1, $3, $4 }' "$work/found-elsewhere" | sort | uniq -c | sort -rn >"$work/places"
    log "searched $(wc -l <"$work/metrics") metrics, $(wc -l <"$work/keys") keys and $(cat "${logs[@]}" | wc -l) lines of logs"
    if [ -s "$work/places" ]; then
        head -n 20 "$work/places" | cut -c 1-200
        remains+=("logs, metrics or keys (see $work/found-elsewhere)")
    fi
}
postgres_log() {
    local log
    for log in "$work/cluster/postgres/log" /var/tmp/orders-cluster-"$(cat "$work/cluster/postgres/id" 2>/dev/null)"/log; do
        if [ -f "$log" ]; then echo "$log"; return; fi
    done
}
