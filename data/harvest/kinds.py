"""What sort of thing a text parameter holds, and values of that sort, by name and description.

How the values are made: see `texts`; how they are said: see `clauses`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tooldrill.data.harvest import resource_names, texts
from tooldrill.data.harvest.prose import noun_phrase
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
    _kind("region", r"\bregions?( names?| ids?)?$|^locations?( id)?$", texts.region,
          "in {v}", "over in {v}", "(we are in {v})"),
    _kind("zone", r"\bzones?( names?| ids?)?$", texts.zone, "in {v}", "over in {v}"),
    _kind("service account", r"\bservice accounts?( emails?( address)?)?$",
          resource_names.service_account, "as {v}", "acting as {v}"),
    _kind("account", r"\baccounts?( ids?| number)?$|\bowner( ids?| account)$", texts.account,
          "in account {v}", "for account {v}", "under {v}"),
    _kind("project", r"\bprojects?( ids?| number)?$", resource_names.project,
          "in {v}", "for project {v}", "over in {v}"),
    _kind("email", r"\bowners?$|e ?mails?( address(es)?| id)?$|^user key$|^member key$",
          texts.email, "for {v}", "({v})"),
    _kind("cloud id", r"\b(subnets?|security groups?|vpcs?|volumes?|snapshots?|images?|instances?|"
                      r"network interfaces?)( ids?| identifiers?)?$", resource_names.cloud_id),
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
    _kind("order", r"^(order|sort)( by)?$", texts.order,
          "sorted by {v}", "ordered by {v}", "in the order of {v}"),
    _kind("description", r"^descriptions?$", texts.sentence,
          "described as {v}", "saying {v}", "and {v} for people to read", quoted=True),
    _kind("label", r"^(display name|title|friendly name)$", texts.title,
          "shown as {v}", "titled {v}", "under the title {v}", quoted=True),
    _kind("parent", r"^parent$", resource_names.google_parent, "in {v}", "under {v}",
          "below {v}", "({v})"),
    _kind("schedule", r"\bschedule( expression)?$|\bcron( expression)?$", texts.schedule,
          quoted=True),
    _kind("moment", r"\b(timestamp|date ?time|(start|end|begin|creation|create|update|read) time)$",
          texts.moment),
    _kind("day", r"\b(date|day)$", texts.day),
    _kind("cells", r"\branges?$", texts.cells, "in {v}", "over {v}"),
    _kind("token", r"\b(tokens?|cursor|etag|marker|secret|signature|hash)$", texts.token),
    _kind("sql", r"\bsql( statements?| query| text)?$|^(query )?statement$", texts.sql,
          quoted=True),
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
    _kind("company", r"\b(company|vendor)( name)?$|\b(customer|organi[sz]ation) name$",
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
    _kind("id", r"^(customer|organi[sz]ation)$|"
                r"\b(ids?|identifiers?|key|handle|code|number|reference|serial)$",
          texts.identifier),
)  # fmt: skip
NAME = _kind("name", r"", texts.name)
# Words that name one of a few things which the schema does not list: a value would be made up.
UNSAYABLE = _kind(
    "unsayable",
    r"\b(types?|status(es)?|states?|class(es)?|tier|category|kinds?|engine|protocols?|algorithms?|"
    r"formats?|levels?|actions?|strategy|mode|modes|unit|units|scopes?|features?|permissions?|"
    r"access|dimension|metrics?|period|frequency|interval|duration|template body|definition|"
    r"schema|policy document|document|condition|expression|mask|attributes?)$",
    texts.name,
)
_JSON = _kind("json", r"", texts.json_text)
_IP = next(kind for kind in KINDS if kind.name == "ip")
RESOURCE = _kind(
    "resource", r"", resource_names.google_name, "for {v}", "on {v}", "({v})", "of {v}"
)


def kind_of(about: About) -> Kind:
    """The sort of value that a text parameter holds."""
    pattern = str(about.schema.get("pattern", ""))
    if "[^/]+" in pattern:
        return RESOURCE
    text = about.label
    if text.endswith("address") and re.search(r"\b(IP|CIDR|range|subnet)\b", about.description):
        return _IP
    if re.search(r"\bJSON\b", about.description) and not text.endswith(
        ("name", "id", "arn", "key")
    ):
        return _JSON
    if "Resource Name (ARN)" in about.description and not text.endswith("name"):
        return KINDS[0]
    found = next((kind for kind in KINDS if kind.pattern.search(text)), NAME)
    described = noun_phrase(about.description).split(" of ", 1)[0].lower()
    if found is NAME and about.source != "stdlib":
        unlisted = UNSAYABLE.pattern.search(text) or UNSAYABLE.pattern.search(described)
        return UNSAYABLE if unlisted else NAME
    return found
