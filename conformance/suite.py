"""Conformance of a service that speaks Envoy's rate limit protocol.

python3 suite.py ADDRESS asks the service at ADDRESS (host:port), which has the configuration in ratelimit.yaml. Each
case has values of its own, so that no case finds what another has used, and a service can be asked again and again.
"""

import argparse
import os
import sys
import time
import traceback
import uuid

import grpc
from envoy.extensions.common.ratelimit.v3 import ratelimit_pb2
from envoy.service.ratelimit.v3 import rls_pb2, rls_pb2_grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

OK = rls_pb2.RateLimitResponse.OK
OVER = rls_pb2.RateLimitResponse.OVER_LIMIT
UNITS = rls_pb2.RateLimitResponse.RateLimit
SERVICE = "envoy.service.ratelimit.v3.RateLimitService"

# The field is_negative_hits, which is set. The published package does not have it yet, and keeps it as it is.
NEGATIVE = b"\x20\x01"


class Skipped(Exception):
    """A case that this service cannot be asked."""


class Service:
    """A service that is asked."""

    def __init__(self, options):
        self.domain = options.domain
        self.clock_file = options.clock_file
        self.metadata = [("authorization", f"Bearer {options.token}")] if options.token else []
        self.channel = grpc.insecure_channel(options.address)
        self.stub = rls_pb2_grpc.RateLimitServiceStub(self.channel)

    def request(self, descriptors, hits=0, domain=None):
        return rls_pb2.RateLimitRequest(
            domain=self.domain if domain is None else domain, descriptors=descriptors, hits_addend=hits
        )

    def ask(self, *descriptors, hits=0, domain=None):
        request = self.request(descriptors, hits, domain)
        return self.stub.ShouldRateLimit(request, timeout=10, metadata=self.metadata)

    def refuses(self, *descriptors, domain=None):
        """The status of a request that is no request."""
        try:
            answer = self.ask(*descriptors, domain=domain)
        except grpc.RpcError as error:
            return error.code()
        raise AssertionError(f"it was answered: {answer}")

    def advance(self, seconds):
        """Sets the clock of the service forward."""
        if not self.clock_file:
            raise Skipped("the service has no clock that can be set")
        with open(self.clock_file, encoding="utf-8") as file:
            now = int(file.read())
        with open(self.clock_file + ".new", "w", encoding="utf-8") as file:
            file.write(f"{now + seconds}\n")
        os.replace(self.clock_file + ".new", self.clock_file)


def descriptor(*entries, hits=None, negative=False, limit=None):
    """A descriptor of entries, each a key and a value."""
    made = ratelimit_pb2.RateLimitDescriptor()
    for key, value in entries:
        made.entries.add(key=key, value=value)
    if hits is not None:
        made.hits_addend.value = hits
    if limit:
        made.limit.requests_per_unit, made.limit.unit = limit
    if negative:
        made.MergeFromString(NEGATIVE)
    return made


def fresh():
    """A value that no other case has."""
    return uuid.uuid4().hex


def code(answer):
    return answer.overall_code


def codes(answer):
    return [status.code for status in answer.statuses]


def remaining(answer):
    return [status.limit_remaining for status in answer.statuses]


def field(answer, name):
    values = [it.value for it in answer.response_headers_to_add if it.key.lower() == name]
    return values[0] if values else None


def same(found, expected):
    assert found == expected, f"{found} in place of {expected}"


CASES = []


def case(function):
    """Adds a case. The first line of its text says what holds."""
    CASES.append(function)
    return function


@case
def quota(service):
    """Ten requests of ten pass, and the eleventh is over the limit."""
    day = descriptor(("day", fresh()))
    for left in reversed(range(10)):
        answer = service.ask(day)
        same((code(answer), codes(answer), remaining(answer)), (OK, [OK], [left]))
        limit = answer.statuses[0].current_limit
        same((limit.requests_per_unit, limit.unit), (10, UNITS.DAY))
    answer = service.ask(day)
    same((code(answer), codes(answer), remaining(answer)), (OVER, [OVER], [0]))


@case
def values(service):
    """A key without a value has a count for each value."""
    one, other = descriptor(("day", fresh())), descriptor(("day", fresh()))
    same(remaining(service.ask(one)), [9])
    same(remaining(service.ask(other)), [9])
    same(remaining(service.ask(one)), [8])


@case
def nothing_applies(service):
    """A descriptor that no limit is for passes, without a limit."""
    for entries in [("none", "x")], [("a", "x")], [("day", "x"), ("none", "x")], [("b", "x"), ("a", "x")]:
        answer = service.ask(descriptor(*entries))
        same((code(answer), codes(answer)), (OK, [OK]))
        assert not answer.statuses[0].HasField("current_limit"), answer


@case
def unknown_domain(service):
    """A domain that is not configured passes."""
    same(code(service.ask(descriptor(("day", fresh())), domain="other-" + fresh())), OK)


@case
def no_domain(service):
    """A request without a domain is an invalid argument."""
    same(service.refuses(descriptor(("day", fresh())), domain=""), grpc.StatusCode.INVALID_ARGUMENT)


@case
def no_descriptors(service):
    """A request without descriptors is an invalid argument."""
    same(service.refuses(), grpc.StatusCode.INVALID_ARGUMENT)


@case
def hits(service):
    """hits_addend is what a request uses, and 0 means 1."""
    day = descriptor(("day", fresh()))
    same(remaining(service.ask(day, hits=4)), [6])
    same(remaining(service.ask(day, hits=0)), [5])
    same(code(service.ask(day, hits=6)), OVER)
    same(remaining(service.ask(day, hits=5)), [0])


@case
def hits_of_descriptors(service):
    """The hits_addend of a descriptor holds in place of that of the request."""
    one, other = ("day", fresh()), ("day", fresh())
    answer = service.ask(descriptor(one, hits=3), descriptor(other), hits=2)
    same(remaining(answer), [7, 8])


@case
def reading(service):
    """A descriptor with hits_addend 0 of its own only reads."""
    day = ("day", fresh())
    service.ask(descriptor(day), hits=4)
    for _ in range(3):
        same(remaining(service.ask(descriptor(day, hits=0))), [6])


@case
def large_hits(service):
    """Hits of 64 bits are no small number: more than any quota is over the limit, and too much is an error."""
    day = ("day", fresh())
    same(code(service.ask(descriptor(day, hits=2**32 + 1))), OVER)
    same(service.refuses(descriptor(day, hits=2**64 - 1)), grpc.StatusCode.INVALID_ARGUMENT)
    same(remaining(service.ask(descriptor(day))), [9])


@case
def order(service):
    """There are as many statuses as descriptors, in their order."""
    names = [("day", fresh()), ("minute", fresh()), ("none", "x"), ("day", fresh())]
    answer = service.ask(*(descriptor(name) for name in names))
    units = [status.current_limit.unit for status in answer.statuses]
    same(units, [UNITS.DAY, UNITS.MINUTE, UNITS.UNKNOWN, UNITS.DAY])


@case
def all_or_nothing(service):
    """A request that one of three descriptors denies is over the limit, and charges none of them."""
    first, closed, last = (("day", fresh()) for _ in range(3))
    service.ask(descriptor(closed), hits=10)
    for _ in range(3):
        answer = service.ask(descriptor(first), descriptor(closed), descriptor(last))
        same((code(answer), codes(answer)), (OVER, [OK, OVER, OK]))
    same(remaining(service.ask(descriptor(first), descriptor(last))), [9, 9])


@case
def many_descriptors(service):
    """A request may have 128 descriptors."""
    answer = service.ask(*(descriptor(("day", fresh())) for _ in range(128)))
    same((code(answer), remaining(answer)), (OK, [9] * 128))


@case
def nested(service):
    """Entries match in order and number, and a value comes before any value."""
    user = fresh()
    same(remaining(service.ask(descriptor(("tier", "gold"), ("user", user)))), [4])
    same(service.ask(descriptor(("tier", "gold"))).statuses[0].current_limit.requests_per_unit, 100)
    same(remaining(service.ask(descriptor(("tier", fresh())))), [1])
    same(code(service.ask(descriptor(("tier", fresh()), ("user", user)))), OK)


@case
def wildcards(service):
    """A star stands for any text, with a count for each value."""
    one, other = (descriptor(("path", "/files/" + fresh())) for _ in range(2))
    same([remaining(service.ask(it))[0] for it in (one, other, one)], [3, 3, 2])
    answer = service.ask(descriptor(("path", "/other")))
    assert not answer.statuses[0].HasField("current_limit"), answer


@case
def joined(service):
    """Descriptors that are alike when their keys and values are joined have counts of their own."""
    part = fresh()
    one = descriptor(("a", part), ("b", "x_b_y"))
    other = descriptor(("a", part + "_b_x"), ("b", "y"))
    same([remaining(service.ask(it))[0] for it in (one, other)], [9, 9])


@case
def unlimited(service):
    """What is unlimited passes, and what has 0 requests never does."""
    for _ in range(20):
        same(code(service.ask(descriptor(("free", "x")))), OK)
    same(codes(service.ask(descriptor(("free", "x")), descriptor(("closed", "x")))), [OK, OVER])


@case
def shadow(service):
    """A limit in shadow mode denies nothing."""
    tried = descriptor(("tried", fresh()))
    for _ in range(5):
        answer = service.ask(tried)
        same((code(answer), codes(answer)), (OK, [OK]))


@case
def negative_hits(service):
    """Negative hits give back what was used, and no more than that."""
    day = ("day", fresh())
    service.ask(descriptor(day), hits=10)
    same(code(service.ask(descriptor(day, hits=3, negative=True))), OK)
    same(remaining(service.ask(descriptor(day))), [2])
    service.ask(descriptor(day, hits=1000, negative=True))
    same(remaining(service.ask(descriptor(day))), [9])


@case
def concurrent(service):
    """Requests at the same time get exactly the quota."""
    request = service.request([descriptor(("day", fresh()))])
    futures = [
        service.stub.ShouldRateLimit.future(request, timeout=10, metadata=service.metadata) for _ in range(50)
    ]
    same(sum(code(future.result()) == OK for future in futures), 10)


@case
def cancelled(service):
    """A call that is cancelled leaves the connection to others."""
    for _ in range(20):
        request = service.request([descriptor(("day", fresh()))])
        service.stub.ShouldRateLimit.future(request, metadata=service.metadata).cancel()
    same(code(service.ask(descriptor(("day", fresh())))), OK)


@case
def reset(service):
    """The duration until the reset is one of the window, and at least a second."""
    minute = descriptor(("minute", fresh()))
    for _ in range(4):
        status = service.ask(minute).statuses[0]
        seconds = status.duration_until_reset.seconds + status.duration_until_reset.nanos / 1e9
        assert 1 <= seconds <= 60, status


@case
def retry(service):
    """After the duration until the reset, a request that was over the limit passes, and not a second before."""
    minute = descriptor(("minute", fresh()))
    service.advance(0)
    over = [service.ask(minute) for _ in range(4)][-1]
    same(code(over), OVER)
    wait = over.statuses[0].duration_until_reset.seconds
    service.advance(wait - 1)
    if wait > 1:
        same(code(service.ask(minute)), OVER)
    service.advance(1)
    same(remaining(service.ask(minute)), [2])


@case
def fields(service):
    """A request that is over the limit tells clients when to come back."""
    minute = descriptor(("minute", fresh()))
    assert field(service.ask(minute), "retry-after") is None
    over = [service.ask(minute) for _ in range(3)][-1]
    same(field(over, "retry-after"), str(over.statuses[0].duration_until_reset.seconds))


@case
def health(service):
    """The health is known by three names, and no other."""
    stub = health_pb2_grpc.HealthStub(service.channel)
    for name in "", SERVICE, "ratelimit":
        answer = stub.Check(health_pb2.HealthCheckRequest(service=name), timeout=10)
        same(answer.status, health_pb2.HealthCheckResponse.SERVING)
    try:
        stub.Check(health_pb2.HealthCheckRequest(service="other"), timeout=10)
    except grpc.RpcError as error:
        same(error.code(), grpc.StatusCode.NOT_FOUND)
    else:
        raise AssertionError("another name is known")


@case
def reflection(service):
    """Reflection lists the service, and describes it."""
    stub = reflection_pb2_grpc.ServerReflectionStub(service.channel)
    asked = [
        reflection_pb2.ServerReflectionRequest(list_services=""),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol=SERVICE),
    ]
    answers = stub.ServerReflectionInfo(iter(asked), timeout=10, metadata=service.metadata)
    listed, described = list(answers)
    names = [it.name for it in listed.list_services_response.service]
    assert SERVICE in names, names
    assert described.file_descriptor_response.file_descriptor_proto, described


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("address", help="where the service is, as host:port")
    parser.add_argument("--domain", default="conformance", help="the domain that ratelimit.yaml is under")
    parser.add_argument("--token", help="what the service wants as authorization: Bearer TOKEN")
    parser.add_argument("--clock-file", help="the file with the service's time in seconds, which libfaketime reads")
    parser.add_argument("--only", action="append", help="the name of a case; all cases without it")
    options = parser.parse_args()
    service = Service(options)
    failed = 0
    for function in CASES:
        if options.only and function.__name__ not in options.only:
            continue
        said = function.__doc__.splitlines()[0]
        begun = time.monotonic()
        try:
            function(service)
            result = "ok"
        except Skipped as why:
            result, said = "skipped", f"{said} ({why})"
        except Exception:
            result, why, failed = "FAILED", traceback.format_exc(limit=-2), failed + 1
        print(f"{result:8}{function.__name__:22}{said} [{time.monotonic() - begun:.1f} s]", flush=True)
        if result == "FAILED":
            print(why)
    print(f"{len(CASES)} cases, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
