"""The entities of the forge by domain, and which domains are held out.

One line each: `noun[/plural]: label kind and name | fields | flow | nouns it may refer to`.
The label is what people call one of them by. A `-` stands for no flow. Vocabulary only.
"""

from __future__ import annotations

from tooldrill.data.values.words import word_list

# ruff: noqa: E501 - an entity is a line

# Worlds of the held-out split are made of these domains and of no other.
HELDOUT_DOMAINS = frozenset(
    word_list(
        """
    clinic lending museum kitchen property veterinary energy railway film insurance
    laboratory harbour court league bakery
        """
    )
)

DOMAINS = """
# hotel
booking: person guest | nights party breakfast board arrival price remark urgency | stay | suite lodge
suite: code RM number | bedrooms area rent features furnished price | machine | lodge
lodge: title name | floors home venue phone keeper public | membership | suite
banquet: company host | party day starts price diet length | stay | suite lodge
spa treatment: title name | length price starts coach day | work | lodge
shuttle: plate plate | seats departs destination driver fuel | machine | lodge
# delivery
parcel: code PX label | weight fragile destination due urgency dimensions insured | transit | courier tour
courier: person name | phone vehicle mail days area | membership | depot
tour: title name | distance departs driver day length | work | courier depot
depot: city city | area home floors keeper covered | machine | courier
pallet: code PAL code | boxes weight height spot fragile | transit | depot tour
pickup: company sender | boxes slot day home phone urgency | transit | courier
# garden
plant: title nickname | species height light sowing age spot | growth | flower bed greenhouse
flower bed: title name | area rows light spot keeper | work | greenhouse
greenhouse: title name | warmth humidity area covered automatic | machine | flower bed
seed packet: product name | quantity supplier expiry price batch | lending | flower bed
watering plan: title name | interval volume wake automatic days | machine | flower bed greenhouse
compost heap: title name | weight volume warmth spot sowing | growth | greenhouse
# billing
invoice: company customer | total due paid reference discount remark channel | bill | subscription cost centre
subscription: person subscriber | price term expiry paid channel mail | membership | cost centre
credit note: code CN number | total client reference remark day | bill | invoice
cost centre: title name | budget keeper progress public | work | invoice
expense claim/expense claims: person employee | total day paid remark file | publishing | cost centre
payment order: company payee | total due reference urgency | bill | cost centre
# music
playlist: title name | genre length public remark author | publishing | album track
album: title title | author release genre price copies | publishing | track
track: title title | length author genre file | publishing | album
podcast: title name | author interval topic public mail | membership | playlist
vinyl: title title | author price spot quantity maker | lending | album
rehearsal: title title | starts length day venue coach | match | playlist
# hosting
server: host hostname | cores storage region address_ip encrypted retention | machine | cluster
cluster: title name | replicas region budget keeper automatic | machine | server
backup: code BK key | storage retention encrypted file wake | work | server
cron job: title name | interval timeout wake mail automatic | machine | server cluster
certificate: host domain | expiry encrypted mail maker keeper | bill | server
dataset: path path | storage rows file public topic | publishing | cluster
# aviation
flight: code FL number | departs destination origin seats day distance | flight | aircraft gate
aircraft/aircraft: code D registration | seats maker age inspection fuel | machine | hangar
gate: code G code | seats spot covered opening | machine | flight
hangar: title name | area height spot covered keeper | machine | aircraft
pilot: person name | phone age skills expiry keeper | membership | aircraft
baggage item: code BG tag | weight fragile destination dimensions cabin | transit | flight
# kitchen
recipe: title name | servings cooking diet allergens author level | publishing | menu
menu: title name | price servings opening public diet | publishing | recipe
dinner table: code T code | seats spot covered keeper | lending | menu
catering job: company customer | party day slot price diet home | stay | menu
wine: title name | price quantity supplier age origin | lending | menu
kitchen shift: person cook | starts length day skills salary | work | menu
# parking
parking space: code P number | covered dimensions rent spot floors | lending | garage permit
garage: title name | floors opening home covered price | machine | parking space
permit: person holder | plate expiry fee phone paid | membership | garage parking space
charging point: code CP code | power price spot automatic | machine | garage
parking fine: plate plate | fee day paid remark spot | bill | permit
valet request: person guest | plate slot driver spot urgency | work | garage
# sensing
sensor: code SEN code | interval threshold spot maker encrypted serial | machine | gateway alarm rule
gateway: host hostname | address_ip region storage serial automatic | machine | sensor
alarm rule: title name | threshold severity mail automatic interval | machine | sensor
calibration: code CAL number | day keeper progress remark | work | sensor
probe: code PRB code | depth warmth serial inspection | machine | gateway
meter reading: code MR number | energy day keeper file | publishing | sensor
# farm
field plot: title name | area rows sowing species keeper | growth | tractor barn
tractor: plate plate | fuel power inspection driver insured warranty | machine | barn
barn: title name | area height floors covered home | machine | herd
herd: title name | headcount age diet keeper spot | membership | barn
crop order: company buyer | weight delivery price batch fragile | transit | field plot
irrigation pump: code PMP code | power volume wake automatic | machine | field plot
# fitness
gym class: title name | coach starts length headcount level days | match | studio
studio: title name | area seats rent spot features | lending | gym class
gym member: person name | age phone expiry mail emergency | membership | gym class
training plan: person athlete | sessions level coach due topic | work | gym class
locker: code LK number | spot rent size covered | lending | gym member
sports bike: code BIKE code | size price inspection maker | lending | studio
# theatre
play: title title | length author price level rows | publishing | stage
stage: title name | seats area dimensions spot | machine | play
costume: product name | size material quantity spot author | lending | play
audition: person candidate | slot day length topic coach | claim | play
season ticket: person holder | price rows seats expiry paid | membership | stage
prop: product name | material weight fragile spot | lending | play stage
# teaching
course: title title | level coach headcount fee starts days remote | work | classroom
classroom: code C number | seats floors features area | lending | course
exam: title subject | day starts length points level | match | course classroom
pupil: person name | age phone mail emergency points | membership | course
homework: title title | due points topic author | publishing | course
scholarship: person recipient | budget expiry topic share | claim | course
# hiring
vacancy/vacancies: title title | salary contract skills remote headcount due venue | publishing | department
applicant: person name | phone mail salary skills topic | claim | vacancy
job interview: person candidate | day slot length agent remote | match | vacancy
department: title name | headcount budget keeper spot | membership | vacancy
job offer: person candidate | salary contract arrival due | claim | vacancy
onboarding: person newcomer | arrival keeper progress mail remote | work | department
# marketing
campaign: title name | budget opening channel topic discount | publishing | newsletter coupon
newsletter: title subject | wake release mail topic public | publishing | campaign
coupon: code SAVE code | discount expiry quantity public | membership | campaign
billboard: title name | dimensions rent venue opening | lending | campaign
survey: title title | points due channel progress | publishing | campaign
sponsor: company name | budget phone share agent | membership | campaign
# clinic
patient: person name | age phone doctor home emergency insured | care | ward
ward: title name | bedrooms floors keeper phone | machine | patient
prescription: person patient | dosage doses doctor expiry remark | bill | patient
surgery/surgeries: person patient | day starts length doctor severity | match | ward
vaccination: person patient | batch day doses doctor | work | patient
ambulance: plate plate | driver fuel spot inspection | machine | ward
# lending
loan: person borrower | principal term share expiry paid channel | claim | collateral
collateral: product item | total insured spot inspection serial | lending | loan
instalment: code IN number | total due paid reference | bill | loan
guarantor: person name | salary phone home share | membership | loan
credit card: person holder | budget expiry channel encrypted | membership | loan
savings plan: person saver | total interval term automatic | membership | guarantor
# museum
exhibit: title title | author insured age material dimensions spot | lending | gallery
gallery/galleries: title name | area warmth humidity floors keeper | machine | exhibit
exhibition: title title | opening expiry fee topic venue | match | gallery exhibit
artefact: code ART code | age origin material fragile weight | lending | gallery
museum tour: title name | starts length headcount level coach | match | exhibition
donation: person donor | total day public remark | bill | exhibition
# library
book copy: title title | author pages age spot price | lending | reading room
reading room: title name | seats floors features opening | machine | book copy
hold request: person reader | due channel urgency remark | stay | book copy
magazine: title title | release pages interval supplier price | publishing | reading room
overdue fine: person reader | fee day paid phone | bill | book copy
manuscript: code MS code | pages age author fragile humidity | lending | reading room
# property
apartment: code APT number | rent bedrooms area furnished features floors | estate | building
building: title name | floors home age keeper material | machine | apartment
lease: person tenant | rent term arrival insured paid | membership | apartment
viewing: person visitor | slot day agent phone | match | apartment
repair order: code RO number | urgency budget due supplier remark | work | building
tenant complaint: person tenant | severity day channel remark | claim | building
# veterinary
animal: title name | species age weight chipped doctor | care | kennel
kennel: code KN number | dimensions warmth spot covered | lending | animal
pet owner: person name | phone home mail channel | membership | animal
grooming: title pet | slot day length price | match | animal
vet referral: title pet | doctor venue urgency remark | claim | animal
feed bag: product name | weight supplier expiry price | lending | kennel
# energy
solar panel: code PV code | power area inspection maker serial | machine | inverter
inverter: code INV code | power warmth serial automatic | machine | battery bank
battery bank: title name | energy threshold spot age | machine | inverter
tariff: title name | price expiry channel discount | publishing | grid outage
grid outage: city town | severity starts length remark | work | inverter
wind turbine: code WT code | height power inspection origin | machine | battery bank
# railway
train: code ICE number | departs destination origin seats distance | flight | platform
platform: code PL number | seats length covered floors | machine | train
wagon: code WG number | cargo seats covered inspection | lending | train
signal box/signal boxes: title name | spot threshold automatic keeper | machine | platform
rail pass: person traveller | cabin expiry price plate | membership | train
conductor: person name | phone days skills origin | membership | train
# film
scene: code SC number | length pages day venue author | match | film shoot
film shoot: title title | day starts budget venue | match | scene
stunt: title name | coach insured severity day | claim | scene
camera: product name | serial maker rent insured | lending | film shoot
actor: person name | salary phone age skills | membership | scene
screening: title film | starts seats fee venue level | match | film shoot
# insurance
policy: person insured person | coverage excess expiry price channel | membership | accident
accident: plate plate | day severity venue remark | claim | policy
insurance claim: person claimant | total severity file due | claim | policy
risk survey: company site | day agent share due | work | policy
broker: person name | phone share mail venue | membership | policy
annuity/annuities: person beneficiary | total term arrival automatic | membership | broker
# laboratory
specimen: code SP label | volume warmth batch expiry species | lending | freezer
freezer: code FZ code | warmth storage serial spot | machine | specimen
assay: title name | length batch progress keeper level | work | specimen
reagent: product name | volume supplier expiry batch | lending | freezer
microscope: code MIC code | maker inspection serial spot | machine | assay
lab notebook: title title | pages author file public | publishing | assay
# harbour
vessel: title name | depth cargo seats origin fuel | flight | berth
berth: code BE number | depth rent spot power | lending | vessel
container: code CONT number | weight fragile destination origin height | transit | vessel
crane: code CR code | power height inspection keeper | machine | berth
customs form: code CF number | total reference file client | claim | container
tugboat: title name | power fuel driver age | machine | berth
# court
lawsuit: person plaintiff | hearing agent urgency total | claim | courtroom
courtroom: code CTR number | seats floors features spot | lending | lawsuit
affidavit: person witness | pages day file author | publishing | lawsuit
juror: person name | age phone home days | membership | lawsuit
court fee: person payer | fee due paid channel | bill | lawsuit
verdict: code VD number | day pages severity public | publishing | lawsuit
# league
team: title name | players coach points venue budget | membership | fixture
fixture: title name | day starts venue seats fee | match | team
referee: person name | level phone days age | membership | fixture
transfer bid: person player | total term due agent | claim | team
race: title name | laps distance starts day level | match | team
trophy/trophies: title name | weight material maker height | lending | team
# bakery
loaf/loaves: product name | flour price quantity allergens | growth | oven
oven: code OV code | warmth power maker interval | machine | loaf
cake order: person customer | servings delivery price topic allergens | stay | oven
flour sack: code FS code | weight supplier expiry origin | lending | oven
market stall: title name | venue opening rent days | lending | oven
dough recipe: title name | flour cooking author diet | publishing | oven
"""
