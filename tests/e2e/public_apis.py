"""public_apis.py - stand-ins for the public APIs of config/examples, for TestCase.python_server().

Each behaves as its API's documentation says where gatherd meets it: the token and the headers it
insists on, how it cuts its answers into pages, what it says of mistakes. `requests` has what came,
and `fault`, while it is set, decides what is answered instead (None: nothing else).
"""
import base64
import collections
import hashlib
import json
import threading
import time
import urllib.parse

Request = collections.namedtuple("Request", "method path params headers body at")


class Problem(Exception):
    """An answer that is none: status, document and headers."""

    def __init__(self, status, document, **headers):
        super().__init__(status)
        self.answer = status, {k.replace("_", "-"): v for k, v in headers.items()}, document


class Api:
    token = "a token of the test's"

    def __init__(self):
        self.lock = threading.Lock()
        self.requests = []
        self.fault = None

    def __call__(self, handler):
        split = urllib.parse.urlsplit(handler.path)
        request = Request(handler.command, split.path,
                          dict(urllib.parse.parse_qsl(split.query, keep_blank_values=True)),
                          handler.headers, handler.body, time.time())
        with self.lock:
            self.requests.append(request)
            try:
                status, headers, document = (self.fault and self.fault(request)) or self.answer(request)
            except Problem as e:
                status, headers, document = e.answer
        # As most servers write it: no blanks.
        body = document if isinstance(document, bytes) else json.dumps(
            document, separators=(",", ":"), ensure_ascii=False).encode()
        return status, {"Content-Type": "application/json; charset=utf-8", **headers}, body

    def base(self, request):
        return f"http://{request.headers['Host']}"

    def url(self, request, **params):
        return f"{self.base(request)}{request.path}?{urllib.parse.urlencode({**request.params, **params})}"

    def paths(self):
        return [request.path for request in self.requests]

    def need_bearer(self, request, document):
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            raise Problem(401, document)


class Tides(Api):
    """NOAA's CO-OPS API: readings of a gauge, as strings."""

    def answer(self, request):
        if request.path != "/api/prod/datagetter" or request.params.get("time_zone") != "lst":
            return 400, {}, {"error": {"message": "Wrong Time Zone"}}
        return 200, {}, {"metadata": {"id": request.params["station"], "name": "Providence"}, "data": [
            {"t": "2026-07-02 03:00", "v": "1.230", "s": "0.003", "f": "0,0,0,0", "q": "p"},
            {"t": "2026-07-02 03:06", "v": "", "s": "", "f": "1,1,1,1", "q": ""},
            {"t": "2026-07-02 03:12", "v": "-0.020", "s": "0.000", "f": "0,0,0,0", "q": "v"}]}


class GitHub(Api):
    """api.github.com: issues, releases, runs of workflows, a repository, and GraphQL."""

    def __init__(self):
        super().__init__()
        self.lists = {"issues": [], "releases": [], "actions/runs": []}  # those of cli/cli
        self.other_lists = {"issues": [], "releases": [], "actions/runs": []}  # and of curl/curl
        self.stars = 1000
        self.remaining = 5000
        self.reset_at = int(time.time()) + 3600

    def renew_at(self, moment, remaining):
        """So many requests are left until then, in whole seconds; returns the moment."""
        self.remaining, self.reset_at = remaining, int(moment)
        return self.reset_at

    def add_issues(self, numbers, updated_at="2026-01-{:02}T12:00:00Z"):
        for n in numbers:
            self.lists["issues"].append({
                "number": n, "title": f"Issue {n}", "state": "open" if n % 2 else "closed",
                "user": {"login": f"user{n % 7}", "id": n % 7}, "labels": [{"name": "bug"}], "comments": n % 5,
                "created_at": "2025-12-01T00:00:00Z", "updated_at": updated_at.format(n % 28 + 1), "closed_at": None})

    def answer(self, request):
        if not request.headers.get("User-Agent"):
            raise Problem(403, b"Request forbidden by administrative rules.\r\n")
        self.need_bearer(request, {"message": "Bad credentials", "status": "401",
                                   "documentation_url": "https://docs.github.com/rest"})
        if time.time() >= self.reset_at:
            self.renew_at(time.time() + 3600, 5000)
        if self.remaining <= 0:
            raise Problem(403, {"message": "API rate limit exceeded for user ID 1."}, **self.quota())
        return self.answer_graphql(request) if request.path == "/graphql" else self.answer_rest(request)

    def quota(self):
        return {"X-RateLimit-Limit": "5000", "X-RateLimit-Remaining": str(self.remaining),
                "X-RateLimit-Reset": str(self.reset_at)}

    def answer_rest(self, request):
        if request.headers.get("X-GitHub-Api-Version") != "2022-11-28":
            raise Problem(400, {"message": "The version is not supported."})
        if request.headers.get("Accept") != "application/vnd.github+json":
            raise Problem(415, {"message": "Unsupported 'Accept' header."})
        parts = request.path.strip("/").split("/", 3)  # repos, owner, name, list
        lists = {"cli/cli": self.lists, "curl/curl": self.other_lists}.get("/".join(parts[1:3]))
        if parts[0] != "repos" or lists is None:
            raise Problem(404, {"message": "Not Found", "status": "404"})
        headers, document = self.page(request, lists, parts[3]) if len(parts) == 4 else ({}, self.repository(lists))
        etag = 'W/"' + hashlib.sha256(json.dumps(document).encode()).hexdigest() + '"'
        headers["ETag"] = etag
        if request.headers.get("If-None-Match") == etag:
            return 304, {**headers, **self.quota()}, b""
        self.remaining -= 1
        return 200, {**headers, **self.quota()}, document

    def repository(self, lists):
        return {"id": 1, "stargazers_count": self.stars, "forks_count": 5,
                "open_issues_count": sum(i["state"] == "open" for i in lists["issues"])}

    def page(self, request, lists, kind):
        params = request.params
        found = [r for r in lists[kind] if r.get("updated_at", "") >= params.get("since", "")]
        if kind == "issues":
            if params.get("state", "open") != "all":
                found = [r for r in found if r["state"] == params.get("state", "open")]
            if params.get("sort") == "updated":
                found.sort(key=lambda r: r["updated_at"], reverse=params.get("direction") != "asc")
        size, number = min(int(params.get("per_page", 30)), 100), int(params.get("page", 1))
        headers = {}
        if number * size < len(found):
            last = -(-len(found) // size)
            headers["Link"] = (f'<{self.url(request, page=number + 1)}>; rel="next", '
                               f'<{self.url(request, page=last)}>; rel="last"')
        document = found[(number - 1) * size:number * size]
        return headers, {"total_count": len(found), "workflow_runs": document} if kind == "actions/runs" else document

    # --- GraphQL ---

    def answer_graphql(self, request):
        asked = json.loads(request.body)
        variables = asked["variables"]
        if request.method != "POST" or request.headers.get("Content-Type") != "application/json":
            raise Problem(400, {"message": "Problems parsing JSON"})
        if (variables["owner"], variables["name"]) != ("cli", "cli"):
            return 200, {}, {"data": {"repository": None}, "errors": [
                {"type": "NOT_FOUND", "path": ["repository"], "message": "Could not resolve to a Repository."}]}
        assert asked["query"].count("{") == asked["query"].count("}")
        found = sorted(self.lists["issues"], key=lambda r: r["updated_at"], reverse=True)
        first = variables["first"]
        start = int(base64.b64decode(variables["after"])) if "after" in variables else 0
        end = start + first
        nodes = [{"number": r["number"], "title": r["title"], "state": r["state"].upper(), "isDraft": False,
                  "createdAt": r["created_at"], "updatedAt": r["updated_at"], "mergedAt": None,
                  "additions": 10, "deletions": 2, "reviewDecision": None,
                  "author": {"login": r["user"]["login"]} if r["number"] % 10 else None,
                  "commits": {"totalCount": 3}} for r in found[start:end]]
        info = {"hasNextPage": end < len(found), "endCursor": base64.b64encode(str(end).encode()).decode()}
        return 200, self.quota(), {"data": {"repository": {"pullRequests": {"nodes": nodes, "pageInfo": info}}}}


class Slack(Api):
    """slack.com/api: conversations.history. It says 200 to all but too many requests."""

    channel = "C024BE91L"

    def __init__(self):
        super().__init__()
        self.messages = []

    def add(self, count):
        for _ in range(count):
            n = len(self.messages)
            self.messages.append({"type": "message", "user": f"U{n % 3}", "text": f"message {n} \u2603",
                                  "ts": f"{1767225600 + 60 * n}.{n % 1000:06}"})

    def answer(self, request):
        def refuse(error):
            return 200, {}, {"ok": False, "error": error}
        if request.path != "/api/conversations.history":
            return refuse("unknown_method")
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return refuse("invalid_auth")
        if request.params.get("channel") != self.channel:
            return refuse("channel_not_found")
        oldest = request.params.get("oldest", "0")
        found = [m for m in reversed(self.messages) if m["ts"] > oldest]  # inclusive=false
        size = min(int(request.params.get("limit", 100)), 999)
        start = 0
        if "cursor" in request.params:
            latest = base64.b64decode(request.params["cursor"]).decode().removeprefix("next_ts:")
            start = next(i for i, m in enumerate(found) if m["ts"] == latest)
        following = found[start + size:start + size + 1]
        cursor = base64.b64encode(f"next_ts:{following[0]['ts']}".encode()).decode() if following else ""
        return 200, {}, {"ok": True, "messages": found[start:start + size], "has_more": bool(following),
                         "pin_count": 0, "response_metadata": {"next_cursor": cursor}}


class WorldBank(Api):
    """api.worldbank.org/v2: an indicator of all countries."""

    def __init__(self, countries=500):
        super().__init__()
        self.countries = countries
        self.population = 1000000

    def answer(self, request):
        params = request.params
        if request.path != "/v2/country/all/indicator/SP.POP.TOTL" or params.get("format") != "json":
            return 200, {}, [{"message": [{"id": "120", "key": "Invalid value",
                                           "value": "The provided parameter value is not valid"}]}]
        first, last = (int(year) for year in params["date"].split(":"))
        last = min(last, 2019)  # what has been counted
        rows = [self.row(c, year) for c in range(self.countries) for year in range(last, first - 1, -1)]
        size, number = int(params.get("per_page", 50)), int(params.get("page", 1))
        head = {"page": number, "pages": -(-len(rows) // size), "per_page": size, "total": len(rows),
                "sourceid": "2", "lastupdated": "2026-01-28"}
        return 200, {}, [head, rows[(number - 1) * size:number * size] or None]

    def row(self, country, year):
        return {"indicator": {"id": "SP.POP.TOTL", "value": "Population, total"},
                "country": {"id": f"C{country}", "value": f"Country {country}"}, "countryiso3code": "",
                "date": str(year), "value": self.population + country if country else None,
                "unit": "", "obs_status": "", "decimal": 0}


class Graph(Api):
    """graph.microsoft.com and login.microsoftonline.com in one, with tokens that it made itself."""

    tenant, client, secret = "contoso.example", "11111111-2222", "s3cr~t/+&"

    def __init__(self):
        super().__init__()
        self.users = [{"id": f"u{n}", "displayName": f"User {n}", "userPrincipalName": f"u{n}@contoso.example",
                       "accountEnabled": True, "createdDateTime": "2025-01-01T00:00:00Z", "mail": None}
                      for n in range(1200)]
        self.audits = []
        self.tokens = []
        self.revoked = set()

    def add_audits(self, *times):
        for at in times:
            self.audits.append({"id": f"a{len(self.audits)}", "activityDateTime": at, "result": "success",
                                "activityDisplayName": "Update user", "targetResources": [{"id": "u1"}],
                                "initiatedBy": {"user": {"userPrincipalName": "u0@contoso.example"}, "app": None}})

    def answer(self, request):
        if request.path == f"/{self.tenant}/oauth2/v2.0/token":
            return self.answer_token(request)
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in self.tokens or token in self.revoked:
            raise Problem(401, {"error": {"code": "InvalidAuthenticationToken", "message": "Access token is empty."}})
        if request.path == "/v1.0/users":
            names = request.params["$select"].split(",")
            return self.page(request, [{n: u[n] for n in names} for u in self.users], int(request.params["$top"]))
        words = request.params["$filter"].split()
        assert request.path == "/v1.0/auditLogs/directoryAudits" and words[:2] == ["activityDateTime", "ge"]
        return self.page(request, [a for a in reversed(self.audits) if a["activityDateTime"] >= words[2]], 1000)

    def page(self, request, found, size):
        start = int(request.params.get("$skiptoken", 0))
        document = {"@odata.context": f"{self.base(request)}/v1.0/$metadata", "value": found[start:start + size]}
        if start + size < len(found):
            document["@odata.nextLink"] = self.url(request, **{"$skiptoken": start + size})
        return 200, {}, document

    def answer_token(self, request):
        form = dict(urllib.parse.parse_qsl(request.body.decode()))
        if form != {"grant_type": "client_credentials", "client_id": self.client, "client_secret": self.secret,
                    "scope": "https://graph.microsoft.com/.default"}:
            raise Problem(401, {"error": "invalid_client", "error_description":
                                "AADSTS7000215: Invalid client secret provided."})
        self.tokens.append(f"eyJ.{len(self.tokens)}.{'x' * 1000}")
        return 200, {}, {"token_type": "Bearer", "expires_in": 3599, "access_token": self.tokens[-1]}


class GitLab(Api):
    """gitlab.com/api/v4: the projects of a group, and the pipelines of each project."""

    def __init__(self, projects=130):
        super().__init__()
        self.pipelines = {100 + n: [] for n in range(projects)}
        self.forbidden = set()

    def add(self, project, number, updated_at, status="success"):
        found = [p for p in self.pipelines[project] if p["id"] != number]
        self.pipelines[project] = found + [{
            "id": number, "iid": 1, "project_id": project, "status": status, "source": "push", "ref": "main",
            "sha": "0" * 40, "created_at": "2026-01-01T00:00:00.000Z", "updated_at": updated_at}]

    def answer(self, request):
        if request.headers.get("PRIVATE-TOKEN") != self.token:
            raise Problem(401, {"message": "401 Unauthorized"})
        if request.path == "/api/v4/groups/inkscape/projects":
            return self.page(request, [{"id": n, "path_with_namespace": f"inkscape/p{n}", "web_url": f"https://gl/p{n}"}
                                       for n in self.pipelines])
        project = int(request.path.removeprefix("/api/v4/projects/").removesuffix("/pipelines"))
        if project not in self.pipelines:
            raise Problem(404, {"message": "404 Project Not Found"})
        if project in self.forbidden:
            raise Problem(403, {"message": "403 Forbidden"})
        after = request.params.get("updated_after", "")
        return self.page(request, sorted((p for p in self.pipelines[project] if p["updated_at"] >= after),
                                         key=lambda p: p["updated_at"], reverse=True))

    def page(self, request, found):
        size, number = int(request.params["per_page"]), int(request.params.get("page", 1))
        headers = {"RateLimit-Remaining": "1999", "RateLimit-Reset": str(int(time.time()) + 60)}
        if number * size < len(found):
            headers["Link"] = f'<{self.url(request, page=number + 1)}>; rel="next"'
        document = found[(number - 1) * size:number * size]
        return 200, headers, document


class Northwind(Api):
    """An OData 4 service with orders, which cuts its answers into pages by itself."""

    def __init__(self, orders=450):
        super().__init__()
        self.orders = []
        self.add(orders)

    def add(self, count):
        for n in range(len(self.orders), len(self.orders) + count):
            self.orders.append({"OrderID": 10248 + n, "CustomerID": f"CUST{n % 9}",
                                "OrderDate": f"{1996 + n // 336}-{n // 28 % 12 + 1:02}-{n % 28 + 1:02}T00:00:00Z",
                                "ShippedDate": None if n % 3 else "1998-05-06T00:00:00Z",
                                "Freight": 32.38, "ShipCountry": "France"})

    def answer(self, request):
        if request.path != "/Northwind.svc/Orders" or not request.headers["Accept"].startswith("application/json"):
            raise Problem(404, {"error": {"code": "", "message": "Resource not found."}})
        params = request.params
        size = int(request.headers["Prefer"].removeprefix("odata.maxpagesize="))
        words = params.get("$filter", "OrderDate ge 0").split()
        assert words[:2] == ["OrderDate", "ge"] and params["$orderby"] == "OrderDate,OrderID"
        found = [o for o in self.orders if o["OrderDate"] >= words[2]]
        start = int(params.get("$skiptoken", 0))
        names = params["$select"].split(",")
        document = {"value": [{name: o[name] for name in names} for o in found[start:start + size]]}
        if start + size < len(found):
            following = self.url(request, **{"$skiptoken": start + size})
            if start == 0:  # relative to the service's root, as some write it
                following = following.split("/Northwind.svc/")[1]
            document["@odata.nextLink"] = following
        return 200, {"OData-Version": "4.0"}, document
