"""Uses the Swagger UI pages in a browser, and prints what each page displays.

Started by `run`, which explains the check. Uses the default ports of `cargo run`.
"""

import json
import os
import shutil
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Error, expect, sync_playwright

TIMEOUT_S = 30
BROWSERS = ["chromium", "google-chrome", "google-chrome-stable"]
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class Site:
    """The Swagger UI of one service."""

    def __init__(self, browser, name, port, screenshots):
        self.name, self.port, self.screenshots = name, port, screenshots
        self.origin = f"http://127.0.0.1:{port}"
        self.page = browser.new_page(viewport={"width": 1280, "height": 1000})
        self.page.set_default_timeout(TIMEOUT_S * 1000)
        self.errors, self.requests = [], 0
        self.page.on("request", self._request)
        self.page.on("requestfailed", lambda it: self.errors.append(f"{it.url}: {it.failure}"))
        self.page.on("pageerror", lambda it: self.errors.append(f"a script failed: {it}"))
        self.page.on("console", self._console)

    def _request(self, request):
        url = urlsplit(request.url)
        if url.scheme == "data":
            return
        self.requests += 1
        if f"{url.scheme}://{url.netloc}" != self.origin:
            self.errors.append(f"requests another host: {request.url}")

    def _console(self, message):
        if message.type in ("error", "warning"):
            self.errors.append(f"console: {message.text}")

    def open(self):
        """Opens the page and waits for its first operation."""
        start = time.monotonic()
        # The root redirects to the page.
        self.page.goto(self.origin)
        self.page.locator(".opblock").first.wait_for()
        took = time.monotonic() - start
        title = self.page.locator(".info .title").inner_text().split("\n")[0].strip()
        count = self.page.locator(".opblock").count()
        print(f"{self.name}: “{title}”, {count} operations, displayed after {took * 1000:.0f} ms")

    def try_out(self, operation, fill=None):
        """Opens an operation and fills the given fields. The other fields keep their default values."""
        self.block = self.page.locator(f"#operations-{operation}")
        self.block.locator(".opblock-summary-control").click()
        self.block.get_by_role("button", name="Try it out").click()
        for label, value in (fill or {}).items():
            self.block.locator(f'tr[data-param-name="{label}"] input').fill(value)

    def execute(self, expected_status, is_expected=lambda shown: True):
        """Presses Execute until the displayed answer is as expected, and returns its body."""
        live = self.block.locator(".live-responses-table")
        deadline = time.monotonic() + TIMEOUT_S
        while True:
            with self.page.expect_response(lambda it: "/api/" in it.url) as answer:
                self.block.get_by_role("button", name="Execute").click()
            answer.value.finished()
            status = live.locator("tr.response .response-col_status")
            expect(status).to_contain_text(str(expected_status))
            shown = json.loads(live.locator("tr.response code.language-json").first.inner_text())
            if is_expected(shown):
                break
            if time.monotonic() > deadline:
                raise AssertionError(f"{self.name} still displays {shown}")
        request = answer.value.request
        sent = " ".join([request.method, request.url, *(request.post_data or "").split()])
        print(f"{self.name}: {sent}: status {expected_status}")
        self.take_screenshot()
        return shown

    def take_screenshot(self):
        if self.screenshots:
            self.page.screenshot(path=self.screenshots / f"{self.name}.png", full_page=True)

    def close(self):
        """Closes the page. Fails if there were errors that the page does not display."""
        self.page.close()
        if self.errors:
            raise AssertionError(f"{self.name}: " + "; ".join(self.errors))
        print(f"{self.name}: {self.requests} requests, none to another host, no error")


def check(browser, screenshots):
    def open_site(name, port):
        site = Site(browser, name, port, screenshots)
        site.open()
        return site

    orders = open_site("order-api", 8080)
    orders.try_out("orders-place_order")
    order_id = orders.execute(201)["orderId"]
    orders.try_out("orders-get_order", {"id": order_id})
    orders.execute(200, lambda shown: shown["orderId"] == order_id)
    orders.close()

    pharmacy = open_site("pharmacy-order", 8083)
    pharmacy.try_out("orders-list_orders")
    pharmacy.execute(200, lambda shown: any(it["orderId"] == order_id for it in shown["items"]))
    pharmacy.close()

    notification = open_site("notification", 8084)
    notification.try_out("notifications-list_notifications", {"orderId": order_id})
    # The customer of the example order has no contact.
    expected = {"log": "sent", "email": "suppressed"}
    notification.execute(
        200, lambda shown: {it["channel"]: it["state"] for it in shown["items"]} == expected
    )
    notification.close()

    relay = open_site("order-jobs", 8082)
    relay.try_out("outbox-show_backlog")
    relay.execute(200, lambda shown: shown["unprocessed"] == 0)
    relay.close()


def main():
    screenshots = Path(sys.argv[1]) if sys.argv[1:] else None
    if screenshots:
        screenshots.mkdir(parents=True, exist_ok=True)
    expect.set_options(timeout=TIMEOUT_S * 1000)
    chrome = os.environ.get("CHROME") or next(filter(None, map(shutil.which, BROWSERS)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chrome, args=CHROMIUM_FLAGS)
        print(f"Chromium {browser.version}, {chrome or 'Playwright’s own'}")
        try:
            check(browser, screenshots)
        except (AssertionError, Error) as failure:
            sys.exit(str(failure))
        finally:
            browser.close()


main()
