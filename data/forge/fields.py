"""The fields that entities of the forge may have: kind, names, and how people speak of them.

One line each: `key | kind and spec | names | clauses | changes`.
Names are what authors call the parameter (the first is the plainest). Clauses follow the entity
(`a booking {clause}`) and mostly do without the name. Changes are imperatives about `{it}`. Of a
flag, the part after `//` is for false. This is vocabulary: how it is read is `lexicon`'s matter.
"""

from __future__ import annotations

# ruff: noqa: E501 - a field is a line

FIELDS = """
nights | int 1 21 night | nights/length of stay/night count | for {v}; staying {v}; {v} in all | let {it} run for {v}; make {it} {v} long
party | int 1 12 person | guests/party size/pax | for {v}; with room for {v} | change {it} to {v}
seats | int 2 400 seat | seats/capacity/seat count | with {v}; seating {v} | put {v} into {it}; equip {it} with {v}
copies | int 1 60 copy | copies/number of copies/qty | {v} of it; in {v} | bring {it} to {v}
quantity | int 1 500 piece | quantity/amount/units | {v} of it; {v} altogether | make it {v} for {it}
boxes | int 1 90 box | boxes/box count/parcels | in {v}; {v} altogether | count {v} for {it}
servings | int 1 24 serving | servings/portions/yield | for {v}; enough for {v} | scale {it} to {v}
laps | int 1 80 lap | laps/rounds/lap count | over {v}; {v} in total | run {it} over {v}
sessions | int 1 30 session | sessions/number of sessions/visits | over {v}; {v} planned | plan {v} for {it}
rows | int 1 120 row | rows/row count/lines | in {v}; {v} across | lay {it} out in {v}
bedrooms | int 1 9 bedroom | bedrooms/rooms/bedroom count | with {v}; that has {v} | record {v} for {it}
pages | int 8 900 page | pages/page count/length | with {v}; {v} long | note {v} for {it}
floors | int 1 60 floor | floors/storeys/levels | with {v}; {v} high | record {v} for {it}
cores | int 1 128 core | cores/cpu count/vcpus | with {v}; running on {v} | give {v} to {it}; resize {it} to {v}
replicas | int 1 40 replica | replicas/instances/copies | in {v}; running {v} | scale {it} to {v}
points | int 0 999 point | points/score/credits | with {v}; worth {v} | leave {it} at {v}
headcount | int 1 80 place | places/headcount/spots | with {v}; offering {v} | open {v} in {it}
players | int 2 30 player | players/squad size/roster size | with {v}; of {v} | bring {it} to {v}
doses | int 1 8 dose | doses/dose count/units per day | of {v}; {v} a day | put {it} on {v}
retention | int 1 400 day | retention/keep days/ttl days | kept for {v}; expiring after {v} | keep {it} for {v}
term | int 6 360 month | term/months/duration months | over {v}; running for {v} | stretch {it} over {v}
age | int 1 30 year | age/age years/years | {v} old; aged {v} | record {it} as {v} old
warranty | int 1 10 year | warranty/warranty years/guarantee | covered for {v}; with cover for {v} | extend the cover of {it} to {v}
weight | num 1 900 kg | weight/mass/weight kg | weighing {v}; that weighs {v}; of {v} | {it} weighs {v}, fix that in the system
cargo | num 1 400 t | cargo/load/tonnage | carrying {v}; loaded with {v} | load {it} with {v}
distance | num 1 900 km | distance/mileage/km | of {v}; going {v} | {it} is {v} long, correct that
area | num 5 900 m2 | area/floor area/size sqm | of {v}; covering {v} | {it} measures {v}, note that
volume | num 1 90 l | volume/litres/fill | holding {v}; filled with {v} | fill {it} to {v}
height | num 1 300 cm | height/size cm/tallness | {v} tall; {v} high | {it} is {v} tall by now, record it
depth | num 1 80 m | depth/draught/metres | {v} deep; down to {v} | sink {it} to {v}
warmth | num 1 40 C | temperature/setpoint/target temp | at {v}; kept at {v} | keep {it} at {v}; bring {it} to {v}
power | num 1 250 kW | power/rating/output kw | delivering {v}; rated {v} | limit {it} to {v}
energy | num 1 900 kWh | energy/consumption/usage | using {v}; with {v} | book {v} on {it}
storage | num 1 900 GB | storage/disk/size gb | with {v}; having {v} on board | grow {it} to {v}; give {v} to {it}
dosage | num 1 900 mg | dosage/strength/dose mg | of {v}; containing {v} | change {it} to {v}
flour | num 10 900 g | weight/grams/amount g | of {v}; made with {v} | use {v} for {it}
price | money 3 900 USD | price/cost/rate | for {v}; costing {v}; at {v} | charge {v} for {it}; sell {it} for {v}
fee | money 2 300 EUR | fee/charge/entry fee | for {v}; costing {v} | ask {v} for {it}; charge {v} for {it}
total | money 20 9000 EUR | amount/total/sum due | over {v}; of {v}; that comes to {v} | correct {it} to {v}
budget | money 100 90000 USD | budget/spending limit/cap | with {v} to spend; costing at most {v} | allow {v} for {it}
salary | money 900 9000 CHF | salary/monthly pay/wage | paid {v}; earning {v} | pay {v} for {it}
principal | money 500 90000 GBP | principal/amount/loan sum | of {v}; over {v} | write {it} down to {v}; restate {it} at {v}
rent | money 300 4000 EUR | rent/monthly rent/price | for {v} a month; at {v} monthly | let {it} for {v} a month
excess | money 50 2000 GBP | excess/deductible/own share | where the customer bears {v}; with {v} borne by the customer | let the customer of {it} bear {v}
discount | percent | discount/rebate/percent off | {v} off; reduced by {v} | take {v} off {it}; give {v} off on {it}
progress | percent | progress/percent done/completion | {v} finished; {v} done already | {it} is {v} done, update it
humidity | percent | humidity/moisture/rh | at {v} humidity; kept at {v} moisture | keep the air of {it} at {v}
threshold | percent | threshold/alarm level/limit | going off at {v}; triggering at {v} | let {it} go off at {v}
share | percent | share/stake/portion | holding {v}; with {v} of it | put {it} at {v}
length | minutes 5 480 | duration/length/minutes | lasting {v}; {v} long; for {v} | let {it} last {v}; make {it} {v} long
interval | minutes 5 300 | interval/period/every minutes | every {v}; once every {v} | run {it} every {v}
timeout | minutes 5 240 | timeout/max minutes/time limit | giving up after {v}; at most {v} long | stop {it} after {v}
cooking | minutes 5 240 | cooking time/bake minutes/prep time | cooked for {v}; taking {v} in the kitchen | cook {it} for {v}
arrival | date | arrival/check in/start date | arriving on {v}; from {v} on; starting {v} | move {it} to {v}; let {it} begin on {v}
due | date | due date/deadline/due on | due {v}; to be finished by {v}; by {v} | push {it} to {v}; give {it} time till {v}
delivery | date | delivery date/deliver on/arrival day | to be delivered on {v}; reaching us on {v} | have {it} delivered on {v}
opening | date | opening/opens on/start day | opening on {v}; on show from {v} | open {it} on {v}
expiry | date | expiry/expires on/valid until | good until {v}; running out on {v}; valid till {v} | let {it} run until {v}; prolong {it} till {v}
sowing | date | planting date/sown on/planted | sown on {v}; in the ground since {v} | {it} went into the ground on {v}, note that
inspection | date | inspection date/next check/inspect on | to be inspected on {v}; due for a check on {v} | have {it} checked on {v}
release | date | release date/launch/published on | coming out on {v}; out on {v} | bring {it} out on {v}
hearing | date | hearing date/court day/session date | heard on {v}; before the court on {v} | put {it} before the court on {v}
day | date | date/day/scheduled for | on {v}; planned for {v} | move {it} to {v}; put {it} on {v}
starts | time | start time/begins at/from time | starting at {v}; at {v} | let {it} start at {v}; move {it} to {v}
departs | time | departure/departs at/leave time | leaving at {v}; setting off at {v} | let {it} leave at {v}
slot | time | slot/time/pickup time | at {v}; around {v} sharp | put {it} at {v}
wake | time | daily time/run at/trigger time | running daily at {v}; every day at {v} | run {it} at {v} every day
board | enum room_only=without meals=without any food, half_board=with breakfast and dinner, full_board=with all meals | board/meal plan/catering | {v} | switch {it} to {v}
urgency | enum low=not urgent=for whenever there is time, normal=of normal urgency, high=urgent=very important | priority/urgency/importance | {v} | treat {it} as {v}
size | enum small=small=tiny, medium=medium, large=large=big | size/format/variant | in {v}; the {v} kind | change {it} to {v}
light | enum shade=in the shade, half_sun=half in the sun, full_sun=in full sun | light/exposure/sun level | {v} | put {it} {v}
genre | enum jazz, rock, classical, electronic, folk | genre/style/music type | of the {v} sort; with {v} music | file {it} under {v}
region | enum eu_west=in western Europe, us_east=on the US east coast, ap_south=in southern Asia | region/zone/location | {v} | place {it} {v}
cabin | enum economy=in economy, premium=in premium, business=in business class, first=in first class | cabin/travel class/fare class | {v} | seat {it} {v}
diet | enum vegan=without animal products, vegetarian=without meat, any=for all eaters, gluten_free=without gluten | diet/diet type/suitable for | {v} | mark {it} as {v}
vehicle | enum bike=by bike=on a bike, van=by van, truck=by truck | vehicle/transport/mode | going {v}; {v} | send {it} {v}
level | enum beginner=for beginners, intermediate=for people with some practice, advanced=for experts | level/difficulty/skill | {v} | make {it} one {v}
channel | enum email=by e-mail, post=by letter, phone=by phone | channel/contact by/medium | reached {v}; handled {v} | handle {it} {v}
severity | enum minor=harmless=hardly noticeable, major=serious, critical=life-threatening=extremely bad | severity/grade/impact | that is {v} | rate {it} as {v}
fuel | enum diesel=running on diesel, petrol=running on petrol, electric=running on batteries | fuel/drive/energy source | {v} | list {it} as {v}
species | species | species/latin name/kind | of the species {v}; botanically {v} | identify {it} as {v}
material | enum wood=made of wood, steel=made of steel, glass=made of glass, concrete=made of concrete | material/made of/fabric | {v} | list {it} as {v}
contract | enum permanent=with an open end, fixed_term=ending after a fixed time, internship=as an internship | contract/employment type/terms | {v} | offer {it} {v}
coverage | enum basic=with the bare minimum of cover, standard=with ordinary cover, comprehensive=covering everything | coverage/plan/cover type | {v} | turn {it} into one {v}
breakfast | flag | breakfast/with breakfast/include breakfast | including breakfast; with breakfast // without breakfast | add breakfast to {it} // take breakfast off {it}
fragile | flag | fragile/handle with care/breakable | that breaks easily; to be handled with care // that can be thrown around | mark {it} as easy to break // {it} is robust after all, fix that
paid | flag | paid/settled/is paid | that has been settled; already paid // with nothing paid yet | book {it} as settled // {it} has not been settled after all, fix that
public | flag | public/visible/shared | that everyone can see; open to everybody // that only we can see | let everybody see {it} // hide {it} from the public
covered | flag | covered/roofed/indoor | under a roof; with a roof over it // out in the open | list {it} as having a roof // list {it} as standing in the open
insured | flag | insured/has insurance/with insurance | with insurance; that is insured // without insurance | take out insurance for {it} // drop the insurance of {it}
automatic | flag | automatic/auto/unattended | that runs by itself; running without anyone present // that somebody starts by hand | let {it} run by itself // have {it} started by hand from now on
encrypted | flag | encrypted/encryption/secure | with encryption; stored encrypted // in plain form | switch encryption on for {it} // switch encryption off for {it}
chipped | flag | chipped/has chip/microchip | with a chip // without a chip | note that {it} carries a chip // note that {it} carries no chip
furnished | flag | furnished/with furniture/is furnished | with furniture // empty, without furniture | list {it} with furniture // list {it} without furniture
remote | flag | remote/from home/home office | that can be done from home // that is done on site | allow working from home for {it} // require being on site for {it}
keeper | person | assignee/owner/responsible | looked after by {v}; in the hands of {v} | hand {it} to {v}; let {v} take care of {it}
driver | person | driver/driven by/chauffeur | with {v} at the wheel; driven by {v} | let {v} drive {it}
doctor | person | doctor/physician/attending | seen by {v}; treated by {v} | let {v} treat {it}
coach | person | coach/trainer/instructor | led by {v}; with {v} teaching | let {v} lead {it}
author | person | author/artist/creator | by {v}; made by {v} | credit {it} to {v}
agent | person | agent/handled by/advisor | with {v} in charge; dealt with by {v} | put {v} in charge of {it}
client | company | client/customer/company | for {v}; on behalf of {v} | bill {it} to {v}
supplier | company | supplier/vendor/source | from {v}; supplied by {v} | source {it} from {v}
maker | company | maker/manufacturer/brand | built by {v}; made by {v} | list {it} as built by {v}
origin | city | origin/from city/departure city | coming from {v}; out of {v} | let {it} start in {v}
destination | city | destination/to city/target | bound for {v}; to {v} | send {it} to {v}; redirect {it} to {v}
venue | city | venue/city/town | in {v}; taking place in {v} | relocate {it} to {v}
spot | place | spot/place/location | in {v}; kept in {v} | bring {it} to {v}; move {it} to {v}
plate | plate | plate/license plate/registration | with the plate {v}; registered as {v} | register {it} as {v}
serial | code SN | serial/serial number/sn | bearing {v}; stamped {v} | restamp {it} as {v}
batch | code LOT | batch/lot/lot number | from the run {v}; out of {v} | move {it} over to {v}
reference | code REF | reference/ref code/external ref | known elsewhere as {v}; filed as {v} | file {it} as {v}
address_ip | ip | ip/ip address/address | reachable at {v}; on {v} | let {it} answer at {v}
file | path | path/file/source path | read from {v}; kept at {v} | point {it} at {v}
mail | email | email/mail address/notify to | reachable under {v}; with mail going to {v} | send mail of {it} to {v}
phone | phone | phone/phone number/callback | reachable at {v}; to be called at {v} | {it} is to be called at {v} from now on, save that
topic | title | topic/subject/theme | about '{v}'; dealing with '{v}' | make {it} about '{v}'
remark | text | remark/notes/comment | where we note "{v}"; with the remark "{v}" | write "{v}" on {it} as the only remark
home | address | address/location/delivery address | at {v}; located at {v} | {it} moved to {v}, update that
dimensions | size | dimensions/size/frame | measuring {v}; of {v} | {it} measures {v}, correct that
emergency | person_card | emergency contact/next of kin/representative | where we may call {v}; spoken for by {v} | in case of trouble with {it} we call {v}, save that
features | tags balcony terrace sea_view kitchenette bathtub quiet | features/amenities/extras | offering {v}; that comes with {v} | list {v} for {it} and nothing else
allergens | tags nuts milk egg soy sesame wheat fish | allergens/contains/allergen list | containing {v}; made with {v} | declare {v} for {it} and nothing else
skills | tags welding bookkeeping negotiation driving spanish first_aid | skills/requirements/must have | asking for {v}; that needs {v} | ask for {v} in {it} and nothing else
days | tags monday tuesday wednesday thursday friday saturday sunday | days/weekdays/on days | on {v}; taking place {v} | hold {it} on {v} only
"""

# A flow's states in order, then what may follow what, and how people ask for each step:
# `name | states | from>to: imperative; imperative / ...`.
FLOWS = """
stay | pending confirmed checked_in checked_out cancelled | pending>confirmed=confirm: confirm {it}; tell them that {it} is fixed / confirmed>checked_in=check_in: check {it} in; {it} is at the desk, let them in / checked_in>checked_out=check_out: check {it} out / pending>cancelled=cancel: call {it} off; cancel {it} / confirmed>cancelled=cancel: call {it} off; cancel {it}
transit | waiting on_the_way arrived lost | waiting>on_the_way=dispatch: send {it} off; get {it} on the road / on_the_way>arrived=receive: {it} got here, book it in; book {it} in as received / on_the_way>lost=report_lost: {it} never turned up, write it off; give {it} up as lost
growth | seed growing ripe harvested | seed>growing=sprout: {it} has come up, record that / growing>ripe=ripen: {it} is ready to be picked, record that / ripe>harvested=harvest: bring {it} in; pick {it}
bill | draft sent settled void | draft>sent=send: get {it} out to the customer; mail {it} out / sent>settled=settle: the money for {it} came in, book that; close {it} as paid for / sent>void=void: declare {it} null and void; cancel {it} / draft>void=void: cancel {it}; scrap {it}
machine | stopped running maintenance retired | stopped>running=start: start {it}; fire {it} up / running>stopped=stop: stop {it}; shut {it} down / stopped>maintenance=service: take {it} in for repairs / stopped>retired=retire: take {it} out of use for good; retire {it} / maintenance>stopped=release: the repairs of {it} are finished, hand it back
flight | planned boarding airborne landed grounded | planned>boarding=board: let people onto {it}; start letting passengers onto {it} / boarding>airborne=depart: {it} is in the air, record that / airborne>landed=land: {it} has touched down, record that / planned>grounded=ground: keep {it} on the ground; do not let {it} fly
publishing | draft review published archived | draft>review=submit: pass {it} on for checking; hand {it} in / review>published=publish: put {it} out; make {it} go live / review>draft=reject: send {it} back for rework; turn {it} down / published>archived=archive: put {it} into the archive; archive {it}
work | open active on_hold done | open>active=start: begin with {it}; get {it} going / active>on_hold=pause: put {it} on ice; let {it} rest for now / on_hold>active=resume: go on with {it}; take {it} up again / active>done=finish: {it} is finished, tick it off; wrap {it} up
membership | trial active frozen ended | trial>active=activate: turn {it} into a full one; activate {it} / active>frozen=freeze: put {it} on hold; freeze {it} / frozen>active=thaw: unfreeze {it}; take {it} off hold / active>ended=terminate: end {it}; terminate {it}
lending | available lent reserved missing | available>lent=lend: hand {it} out; lend {it} out / lent>available=take_back: {it} came back, book that; take {it} back in / available>reserved=reserve: keep {it} back; put {it} aside / lent>missing=report_missing: {it} never came back, report it
care | registered in_treatment recovered discharged | registered>in_treatment=admit: take {it} in; admit {it} / in_treatment>recovered=mark_recovered: {it} is well again, record that / recovered>discharged=discharge: let {it} go home; discharge {it}
claim | filed assessed approved denied | filed>assessed=assess: have {it} looked at by an expert; assess {it} / assessed>approved=approve: say yes to {it}; approve {it} / assessed>denied=deny: say no to {it}; turn {it} down
estate | listed viewing sold withdrawn | listed>viewing=show: open {it} to visitors; let people see {it} / viewing>sold=sell: {it} has found a buyer, record that / listed>withdrawn=withdraw: take {it} off the market; pull {it} back
match | scheduled playing over postponed | scheduled>playing=kick_off: {it} has begun, record that; kick {it} off / playing>over=conclude_play: {it} has ended, record that; blow the whistle on {it} / scheduled>postponed=postpone: put {it} off; play {it} another time / postponed>scheduled=reinstate: put {it} back on the programme
"""
