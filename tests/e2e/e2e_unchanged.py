#!/usr/bin/env python3
"""e2e_unchanged.py - what is not fetched, read or asked for again, because nothing changed."""

import harness
from harness import TestCase, needs_command


def source(url, **keys):
    return {"name": "s", "url": url, "primary_key": "id", **keys}


class RespectCache(TestCase):
    """How far away the next run is after one, by what the server says of freshness."""

    def seconds_to_next(self, url, **keys):
        keys = {"interval": "10s", "max_interval": "1h", "respect_cache": True, **keys}
        daemon = self.run_once({"sources": [source(url, **keys)]})
        return daemon.value("SELECT (julianday(next_due_at) - julianday(last_run_at)) * 86400"
                            " FROM _gatherd_sources")

    def assert_next(self, seconds, url, **keys):
        """The next run is at the first slot from then on; slots are 10 s apart."""
        found = self.seconds_to_next(url, **keys)
        self.assertGreater(found, seconds - 5)
        self.assertLess(found, seconds + 11)

    @needs_command("nginx")
    def test_expires_of_nginx(self):
        (self.folder / "items.json").write_text('[{"id": 1}]')
        url = self.nginx(self.folder, """
            location /ten/ { alias %(root)s/; expires 10m; }
            location /day/ { alias %(root)s/; expires 1d; }
            location /epoch/ { alias %(root)s/; expires epoch; }
            location /off/ { alias %(root)s/; expires off; }
            location /private/ { alias %(root)s/; add_header Cache-Control "private, max-age=300"; }
            """ % {"root": self.folder})
        self.assert_next(600, url + "/ten/items.json")
        self.assert_next(3600, url + "/day/items.json")  # max_interval
        self.assert_next(300, url + "/private/items.json")
        self.assert_next(0, url + "/epoch/items.json")
        self.assert_next(0, url + "/off/items.json")
        self.assert_next(0, url + "/ten/items.json", respect_cache=False)

    def answering(self, headers):
        return self.python_server(lambda request: (200, {"Content-Type": "application/json", **headers},
                                                   b'[{"id": 1}]'))

    def test_expires_without_cache_control(self):
        self.assert_next(0, self.answering({"Expires": "0"}))
        self.assert_next(0, self.answering({"Expires": "Thu, 01 Jan 1970 00:00:00 GMT"}))
        self.assert_next(3600, self.answering({"Expires": "Fri, 31 Dec 9999 23:59:59 GMT"}))

    def test_the_age_of_the_answer_counts(self):
        self.assert_next(200, self.answering({"Cache-Control": "max-age=600", "Age": "400"}))

    def test_no_store_goes_before_max_age(self):
        self.assert_next(0, self.answering({"Cache-Control": "max-age=600, no-store"}))


if __name__ == "__main__":
    harness.main()
