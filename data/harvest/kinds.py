"""What sort of thing a text parameter holds, and values of that sort, by name and description.

How the values are made: see `texts`; how they are said: see `clauses`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tooldrill.data.harvest import texts
from tooldrill.data.harvest.texts import About, Maker


@dataclass(frozen=True)
class Kind:
    """A sort of value.

    Attributes:
        pattern: found in the parameter's label, in lower case.
        bare: ways to say it without naming it, `{v}` for the value.
        quoted: whether it is a text that a person would put in quotes.
    """

    name: str
    pattern: re.Pattern[str]
    make: Maker
    bare: tuple[str, ...] = ()
    quoted: bool = False


def _kind(name: str, pattern: str, make: Maker, *bare: str, quoted: bool = False) -> Kind:
    return Kind(name, re.compile(pattern), make, bare, quoted)


# The first that fits is taken.
KINDS: tuple[Kind, ...] = (
    _kind("arn", r"\barns?$", texts.arn, "for {v}", "on {v}"),
    _kind("region", r"\bregions?( names?| ids?| codes?)?$|^locations?( id)?$", texts.region,
          "in {v}", "over in {v}", "(we are in {v})"),
    _kind("zone", r"\bzones?( names?| ids?)?$", texts.zone, "in {v}", "over in {v}"),
    _kind("account", r"\b(account|owner)s?( ids?| number)?$", texts.account,
          "in account {v}", "for account {v}", "under {v}"),
    _kind("project", r"\bprojects?( ids?| number)?$", texts.project,
          "in {v}", "for project {v}", "over in {v}"),
    _kind("email", r"e ?mails?( address(es)?| id)?$|^user key$|^member key$", texts.email,
          "for {v}", "({v})"),
    _kind("uuid", r"\bu?uids?$|\bguids?$", texts.uuid),
    _kind("cidr", r"\bcidrs?\b", texts.cidr, "on {v}", "over {v}"),
    _kind("ip", r"\bips?( ?v[46])?( addresse?s?)?$", lambda d, _: str(d.fake.ipv4()),
          "at {v}", "for {v}"),
    _kind("url", r"\b(urls?|uris?|website|webhook|endpoint)$", texts.url, "at {v}", "({v})"),
    _kind("domain", r"\b(domains?|host ?names?|fqdn|dns names?|host)( names?)?$",
          lambda d, _: str(d.fake.domain_name()), "for {v}", "under {v}"),
    _kind("phone", r"\bphone\b|\bmobile\b", texts.phone, "({v})"),
    _kind("page", r"\b(next|page|continuation|starting|pagination)( page)? (token|marker)$",
          texts.token, "continuing at {v}", "picking up at {v}", "going on from {v}",
          "from {v} onwards"),
    _kind("order", r"^(order|sort)( by)?$", lambda d, _: d.word(),
          "sorted by {v}", "ordered by {v}", "in the order of {v}"),
    _kind("description", r"^descriptions?$", texts.sentence,
          "described as {v}", "saying {v}", "and {v} for people to read", quoted=True),
    _kind("label", r"^(display name|title|friendly name)$", texts.title,
          "shown as {v}", "titled {v}", "under the title {v}", quoted=True),
    _kind("parent", r"^parent$", texts.google_parent, "in {v}", "under {v}", "below {v}", "({v})"),
    _kind("token", r"\b(tokens?|cursor|etag|marker|secret|signature|hash)$", texts.token),
    _kind("query", r"^q$|\b(query|search|keywords?|term|phrase|filter|filter expression)$",
          texts.query, "matching {v}", quoted=True),
    _kind("path", r"\b(paths?|file ?names?|files?|prefix|dir|directory|folder|src|dst|source key|"
                  r"object key|key prefix|root|pathname|f1|f2)$|^key$", texts.path),
    _kind("locale", r"\blocales?( id| code)?$", texts.locale),
    _kind("language", r"\b(languages?|lang)( codes?)?$|^hl$", texts.language),
    _kind("country", r"\b(country|territory|region code)( codes?)?$",
          lambda d, _: str(d.fake.country_code()), "for {v}"),
    _kind("currency", r"\bcurrenc(y|ies)( codes?)?$", lambda d, _: str(d.fake.currency_code()),
          "in {v}"),
    _kind("timezone", r"\btime ?zones?$", lambda d, _: str(d.fake.timezone())),
    _kind("city", r"\bcity$", lambda d, _: d.pick((d.city, d.foreign_city))(), "in {v}"),
    _kind("address", r"\baddress( line ?\d?)?$", lambda d, _: str(d.fake.street_address()),
          quoted=True),
    _kind("person", r"\b(full name|person|author|contact name|recipient name|user agent)$",
          lambda d, _: d.pick((d.person, d.foreign_name, d.double_name))(), quoted=True),
    _kind("first", r"\b(first|given|last|family) name$", lambda d, _: d.first_name()),
    _kind("user", r"\busers?( ?names?)?$|^login$", lambda d, _: str(d.fake.user_name()),
          "for {v}"),
    _kind("company", r"\b(company|organi[sz]ation|vendor|customer)( name)?$",
          lambda d, _: d.company(), "for {v}", quoted=True),
    _kind("sentence", r"\b(descriptions?|comments?|messages?|reasons?|body|text|notes?|content|"
                      r"instructions|summary|justification|prompt|feedback|details)$",
          texts.sentence, quoted=True),
    _kind("title", r"\b(title|subject|display name|friendly name|caption|headline|topic)$",
          texts.title, quoted=True),
    _kind("version", r"\bversions?( ids?| number| name)?$", texts.version),
    _kind("amount", r"\b(max|maximum|limit|size|count|length)\b",
          lambda d, _: str(d.number(1, 500))),
    _kind("encoding", r"^(encoding|charset)$", lambda d, _: d.pick(texts.ENCODINGS)),
    _kind("mode", r"^mode$", lambda d, _: d.pick(("r", "w", "a", "rb", "wb", "x"))),
    _kind("glob", r"^(pat|pattern)$", lambda d, _: f"{d.word()[:4]}*.{d.extension()}"),
    _kind("string", r"^(string|s|data|line|code|a|b|x|word|value)$", texts.sentence, quoted=True),
    _kind("id", r"\b(ids?|identifiers?|key|handle|code|number|reference|serial)$",
          texts.identifier),
)  # fmt: skip
NAME = _kind("name", r"", texts.name)
_IP = next(kind for kind in KINDS if kind.name == "ip")
RESOURCE = _kind("resource", r"", texts.google_name, "for {v}", "on {v}", "({v})", "of {v}")


def kind_of(about: About) -> Kind:
    """The sort of value that a text parameter holds."""
    pattern = str(about.schema.get("pattern", ""))
    if "[^/]+" in pattern:
        return RESOURCE
    text = about.label
    if text.endswith("address") and re.search(r"\b(IP|CIDR|range|subnet)\b", about.description):
        return _IP
    if "Resource Name (ARN)" in about.description and not text.endswith("name"):
        return KINDS[0]
    return next((kind for kind in KINDS if kind.pattern.search(text)), NAME)
