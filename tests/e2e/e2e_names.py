"""Names that do not resolve, or whose resolver is mute, hurt only their own sources."""
import pathlib
import socket
import time

from harness import SANITIZED, SLOW, TestCase, can_replace_files, main, needs_command, replacing

MUTE = "127.0.0.77"  # nobody's


class Names(TestCase):
    def healthy(self):
        (self.folder / "healthy.json").write_text('[{"id": 1}]')
        return {"name": "healthy", "url": self.nginx(self.folder) + "/healthy.json", "interval": "200ms",
                "timeout": "10s", "connect_timeout": "5s"}

    def assert_healthy_kept_its_rhythm(self, daemon, seconds):
        polled, longest = daemon.sql("SELECT count(*), max(total_ms) FROM _gatherd_runs"
                                     " WHERE source = 'healthy' AND outcome = 'success'")[0]
        print(f"healthy: {polled} of {seconds * 5:.0f} slots, the slowest {longest:.0f} ms", flush=True)
        if not SANITIZED:
            self.assertGreaterEqual(polled, 0.95 * seconds * 5 - 2)
        self.assertLess(longest, 2000 * SLOW)

    def stop_in_time(self, daemon, seconds):
        before = time.monotonic()
        self.assertEqual(daemon.stop(), 0)
        self.assertLess(time.monotonic() - before, seconds + 5 * SLOW)

    def threads(self, daemon):
        return len(list(pathlib.Path(f"/proc/{daemon.process.pid}/task").iterdir()))

    @needs_command("nginx")
    def test_names_that_do_not_exist_are_told_and_hold_nobody_up(self):
        sources = [{"name": f"n{n}", "url": f"http://gatherd-{n}.invalid/x?token=hunter2", "interval": "1s",
                    "timeout": "3s", "connect_timeout": "3s"} for n in range(20)]
        daemon = self.daemon({"shutdown_timeout": "2s", "sources": [self.healthy(), *sources]})
        started = time.monotonic()
        daemon.wait_for_sql("SELECT count(DISTINCT source) FROM _gatherd_runs WHERE outcome = 'failed'", 20, 60)
        seconds = time.monotonic() - started
        self.stop_in_time(daemon, 2)
        self.assert_healthy_kept_its_rhythm(daemon, seconds)
        for source, failure, error, requests in daemon.sql(
                "SELECT source, failure, error, requests FROM _gatherd_runs WHERE source <> 'healthy'"):
            self.assertEqual(requests, 3, error)
            if failure == "network":
                self.assertEqual(error, f"Could not resolve host: gatherd-{source[1:]}.invalid")
            else:  # a resolver that does not answer at all
                self.assertEqual((failure, error), ("timeout", "timeout (3s) passed while resolving the name"))
        self.assertNotIn("hunter2", daemon.log())

    def mute_resolver(self):
        """A UDP socket where resolv.conf sends queries, which never answers; the wrapper that does so."""
        mute = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(mute.close)
        try:
            mute.bind((MUTE, 53))
        except OSError as e:
            self.skipTest(f"cannot listen at {MUTE}:53: {e}")
        if not can_replace_files():
            self.skipTest("cannot replace /etc/resolv.conf for a process: no mount namespace of its own")
        path = self.folder / "resolv.conf"
        path.write_text(f"nameserver {MUTE}\noptions timeout:30 attempts:5\n")
        self.mute = mute
        return replacing({"/etc/resolv.conf": path})

    @needs_command("nginx")
    @needs_command("unshare")
    def test_a_mute_resolver_costs_no_more_than_the_timeout_of_its_own_source(self):
        wrapper = self.mute_resolver()
        sources = [{"name": f"n{n}", "url": f"http://host-{n}.example/x", "interval": "1s", "timeout": "1s",
                    "connect_timeout": "1s"} for n in range(20)]
        sources += [{"name": f"c{n}", "url": f"https://tls-{n}.example/x", "interval": "1s", "timeout": "5s",
                     "connect_timeout": "1s"} for n in range(2)]
        daemon = self.daemon({"shutdown_timeout": "2s", "sources": [self.healthy(), *sources]}, wrapper=wrapper)
        started = time.monotonic()
        daemon.wait_for_sql("SELECT count(DISTINCT source) FROM _gatherd_runs WHERE outcome = 'failed'", 22, 60)
        seconds = time.monotonic() - started
        threads = self.threads(daemon)
        self.stop_in_time(daemon, 2)
        print(f"{threads} threads at the end of {seconds:.1f} s", flush=True)
        self.assert_healthy_kept_its_rhythm(daemon, seconds)
        self.assertGreater(len(self.mute.recv(512)), 12, "the resolver was asked")
        for source, failure, error, total in daemon.sql(
                "SELECT source, failure, error, total_ms FROM _gatherd_runs WHERE source <> 'healthy'"):
            key = "timeout" if source.startswith("n") else "connect_timeout"
            self.assertEqual((failure, error), ("timeout", f"{key} (1s) passed while resolving the name"))
            self.assertLess(total, 1000 + 1000 * SLOW)


if __name__ == "__main__":
    main()
