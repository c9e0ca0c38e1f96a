"""Names that many people bear, to know a column of names by its values where no header says so.

Common given and family names of people who give birth or are born in Canada, the United States, the United Kingdom and
France, without accents. A column of names holds some of them in every few rows; a column of places, drugs or words
holds hardly any. The lists are no rule about who has a name: they only tell the kind of a column.
"""

from __future__ import annotations

_GIVEN = """
aaliyah aaron abby abdul abdullah abigail abraham adam addison adele adrian adriana aidan aiden aisha alan albert alex
alexa alexander alexandra alexandre alexis alfred ali alice alicia alison allison alyssa amanda amber amelia amelie
amina amir amy ana anais andre andrea andrew angel angela angelina anika anil anita ann anna anne annie anthony
antoine antonio anya april aria ariana arjun arthur arun asha ashley asia aubrey audrey aurora austin ava avery
barbara beatrice ben benjamin benoit bernard beth betty beverly bill billy blake bob bonnie bradley brandon brenda
brent brian brianna bridget brittany brooke bruce bryan caleb cameron camila camille carl carla carlos carmen carol
carole caroline carolyn carter casey catherine cecilia chantal charles charlie charlotte chelsea cheryl chloe chris
christian christina christine christopher cindy claire clara claude claudia colin connor courtney craig crystal curtis
cynthia daisy dale dan dana daniel daniela danielle darren dave david dawn dean deborah debra declan deepa denis
denise dennis derek diana diane diego dominic donald donna doris dorothy douglas duncan dylan earl eddie edith edward
eileen elaine eleanor elena eli elijah elise eliza elizabeth ella ellen ellie emilie emily emma emmanuel eric erica
erik erin esther ethan etienne eugene eva evan eve evelyn faith fatima felix fernando finn fiona florence frances
francesca francis francisco francois frank fred freya gabriel gabriela gabrielle gail gary gavin genevieve george
georgia gerald gerard gilles gina gloria grace grant greg gregory guillaume gurpreet guy hailey hana hanna hannah
harold harper harpreet harriet harry harvey hassan hazel heather hector heidi helen helene henri henry hiroshi holly
howard hudson hugh hugo hunter ian ibrahim ida imran ines ingrid irene iris isaac isabel isabella isabelle isla ivan
ivy jack jackson jacob jacqueline jacques jade jake james jamie jan jane janet janice jared jasmine jason javier jay
jean jeff jeffrey jenna jennifer jenny jeremy jerome jerry jesse jessica jill jim jin joan joanna joanne joe joel john
johnny jonathan jordan jorge jose joseph josephine joshua joy joyce juan juanita judith judy julia julian juliana
julie juliette june justin kaitlyn karen karim karin karl kate katelyn katherine kathleen kathryn kathy katie kayla
keith kelly ken kenneth kevin khadija kim kimberly kirsten kristen kristin kyle lakshmi lara larry laura lauren
laurence laurent lauretta layla lea leah lee lena leo leon leonard leslie lewis li liam lila lillian lily lina linda
lindsay ling lisa lise logan lois lola lori lorraine louis louise luc luca lucas lucia lucie lucy luis luke luna lydia
lynn mackenzie madeleine madeline madison maeve maggie malik manon manuel marc marcel marco marcus margaret margot
maria mariam marie marie-eve marilyn mario marion marissa marjorie mark marlene marta martha martin martine mary mason
mateo mathieu mathilde matt matthew maureen maurice max maxime maya megan mei melanie melissa mia michael michel
michele michelle miguel mike mila milan mildred miles minh miriam mohamed mohammad mohammed molly mona monica monique
morgan muhammad myriam nadia nadine nancy naomi natalia natalie natasha nathalie nathan neha neil nicholas nick nicola
nicolas nicole nikita nina noah noel noemie nora norma norman nour odette olga oliver olivia olivier omar oscar owen
pamela parker pascal patricia patrick paul paula pauline pedro peggy penelope penny peter philip philippe phillip
phoebe phyllis pierre piper priya quinn rachel rafael rahul rajesh ralph ramon randy raphael ravi ray raymond rebecca
regina reid remi renee rhonda ricardo richard rick riley rita robert roberto robin rodney roger roland romain ron
ronald rosa rosalie rosanna rose rosemary ross roxanne roy ruben ruby russell ruth ryan sabrina sadie sally salma sam
samantha samir samuel sandra sandy sanjay santiago sara sarah savannah scarlett scott sean sebastian selena serena
sergio shane shannon sharon shaun shawn sheila shelby shelley sherry shirley sienna silvia simon simone skye sofia
sonia sophia sophie stacey stacy stanley stella stephane stephanie stephen steve steven stuart sue sunita susan
suzanne sven sydney sylvia sylvie talia tamara tammy tania tanya tara taylor teresa terry tessa thea theo theodore
theresa thomas tiffany tim timothy tina todd tom tony tracey tracy travis trevor tristan tyler valentina valerie
vanessa vera veronica veronique vicki victor victoria vijay vincent violet virginia vivian wade walter wanda warren
wayne wei wendy wesley will william willow wyatt xavier xin yan yasmin yolanda yousef yuki yusuf yves yvette yvonne
zachary zahra zara zoe zoey
"""
_FAMILY = """
abbott abdi adams aguilar ahmed alexander ali allard allen alvarez anderson andrews arnold arsenault aubin audet ayers
bailey baker banerjee banks barker barnes barrett basu bates beauchamp beaudoin beaulieu becker bedard belanger bell
bennett benoit berger bergeron bernard berry bertrand bhatt bishop black blais blanchard boivin bouchard boucher
boudreau bourque boyd bradley brady brennan brooks brown bryant burke burns butler byrne cameron campbell carey caron
carpenter carr carroll carter castillo castro chan chandra chang chapman charron chavez chen cheng chiu cho choi chong
chowdhury chu clark clarke cloutier cohen cole coleman collins comeau cook cooper corbett cormier cote couture cox
crawford cruz cunningham cyr daigle daniels das davidson davies davis dawson day dean deschamps desjardins deslauriers
desrosiers diaz dion dixon dominguez douglas doyle dube dubois dubreuil dufour duncan dunn dupont dupuis durand
edwards elliott ellis evans farah ferguson fernandes fernandez ferreira fisher fitzgerald fleming fletcher flores ford
fortin foster fournier fox francis fraser freeman friesen gagne gagnon gallagher garcia gardner garneau gauthier
gervais gibson gilbert gill girard giroux gomez gonzalez gordon graham grant gray green greene grenier griffin guerin
gupta gutierrez hall hamel hamilton hansen harper harris harrison hart harvey hassan hebert henderson hernandez hicks
hill ho hoang holmes hopkins houle howard huang hudson hughes hunt hunter hussain huynh ibrahim jackson jacob jacobs
james janssen jean jenkins jensen jimenez johnson johnston jones jordan joseph kaur kaya kelly kennedy khan kim king
klein knight kumar labelle lachance lacroix lafleur lalonde lam lambert landry lane langlois lapierre lapointe
larocque larsen lau lavoie lawrence lawson le leblanc leclerc leduc lee lefebvre legault lemay lemieux leonard lepage
lessard levesque lewis li lin little liu lloyd long lopez lucas lynch ma macdonald mackay mackenzie macleod mahmoud
malik marin marshall martel martin martinez mason matthews mcarthur mccarthy mcdonald mcgrath mckay mckenzie mclean
mcleod mehta melanson menard mendoza mercier meyer michaud miller mills mitchell mohamed moore morales moreau moreno
morgan morin morris morrison mueller munoz murphy murray myers nadeau nair nelson ng nguyen nichols noel o'brien
o'connor o'neill obrien oconnor okafor oliveira olsen ortiz osman ouellet owens page palmer paquette paradis parent
park parker parsons patel paul payne pearson pelletier pereira perez perreault perrier perron perry peters petersen
peterson pham phillips picard pierce poirier pope potter poulin powell price proulx qureshi rahman ramirez ramos rao
ray raymond reddy reed reid reyes reynolds rice richard richards richardson rivera rivest robert roberts robertson
robinson rodriguez rogers romero rose ross rousseau roy ruiz russell ryan said salazar sanchez sanders santos savard
schmidt schneider schultz scott shah sharma shaw shea silva simard simmons simpson singh smith snyder soto spencer
st-pierre stein stephens stevens stewart stone sullivan sutherland tan tang taylor tessier theriault thibault thomas
thompson thomson torres tran tremblay trudel tucker turcotte turner vachon vargas vasquez villeneuve wagner walker
wallace walsh wang ward warren watkins watson weaver webb weber welch wells west wheeler white williams williamson
willis wilson wong wood woods wright wu xu yang yee yilmaz young yu zhang zhao zhou zhu zimmerman
"""
GIVEN, FAMILY = (frozenset(each.split()) for each in (_GIVEN, _FAMILY))
