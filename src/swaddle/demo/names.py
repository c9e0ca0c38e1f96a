"""Made-up people are called after these: common given and family names of many languages, put together by chance.

Nobody in the lists is meant. A name that somebody bears anyway is chance, as it is with any two common names.
"""

# ruff: noqa: SIM905  a block of words reads better than three hundred quotation marks

from __future__ import annotations

GIVEN_OF_MOTHERS: tuple[str, ...] = tuple(
    """
    Aaliyah Abena Adaeze Aiko Aisha Alejandra Alina Amara Amélie Amina Ana Andrea Anjali Anneke Aoife Ayesha Beatriz
    Bronwyn Camille Carmen Catherine Chantal Chiara Chloe Claire Daniela Deepa Divya Ebony Ekaterina Elena Elif
    Elizabeth Emily Emma Esther Fatima Fatoumata Freya Gabriela Grace Gurpreet Habiba Hannah Harpreet Heather Hui Ifeoma
    Ingrid Isabelle Ivana Jacqueline Jasmine Jennifer Jessica Joanna Josephine Julia Kamala Karen Katarzyna Kavita Keiko
    Khadija Kimberly Lakshmi Laura Leila Li Lin Linh Lucía Magdalena Mai Malika Mariam Marie-Ève Mbali Mei Melissa
    Michelle Miriam Mónica Nadia Naomi Natalia Ngozi Nicole Niamh Noor Oksana Olga Olivia Parisa Patricia Pauline Priya
    Rachel Rajinder Rebecca Renée Rosa Ruth Sabrina Samantha Sandra Sara Seo-yeon Shanthi Shirin Siobhán Sofía Solange
    Stephanie Sunita Svetlana Tamika Tanya Teresa Thandiwe Thi Valentina Vanessa Wanjiru Wei Xiu Yasmin Yetunde Yuki
    Zainab Zeynep Zoe
    """.split()
)

GIVEN_OF_CHILDREN: tuple[str, ...] = tuple(
    """
    Aarav Abigail Adam Ahmed Alexander Alice Amir Anaya Anna Arjun Aria Arthur Aurora Ava Ayaan Benjamin Charlotte Chloe
    Daniel David Diego Dylan Eleanor Elias Elijah Élise Ella Emmanuel Ethan Eva Ezra Farah Félix Finn Gabriel Hana Hazel
    Henry Hugo Ibrahim Imani Iris Isaac Isla Jack Jacob James Jasper Jayden Joshua Julian Kai Kiran Kofi Layla Léa Leo
    Liam Lily Logan Louis Lucas Luna Mateo Matilda Maya Mila Mohammed Nathan Nia Noah Nora Oliver Omar Oscar Penelope
    Quinn Raphaël Rania Riley Rohan Rose Ruby Samuel Santiago Sebastian Sienna Simone Sofia Sophie Tariq Theo Thomas
    Uma Victor Violet William Wyatt Xavier Yara Yusuf Zachary Zara
    """.split()
)

FAMILY: tuple[str, ...] = tuple(
    """
    Abdi Adeyemi Ahmed Akhtar Ali Allen Andersen Anderson Arslan Asante Bailey Baker Banerjee Beaulieu Bélanger Bell
    Bennett Bergeron Bhatt Boateng Bouchard Brown Campbell Carter Chan Chaudhry Chen Cheng Chow Clark Cohen Collins
    Costa Côté D'Angelo Da-Silva Das Davies Desjardins Diallo Diaz Dubois Edwards El-Amin Evans Fernandes Fernández
    Ferrari Fischer Fortin Fournier Fraser Friesen Gagnon García Gauthier Gill Girard González Gordon Graham Grant Green
    Grewal Guerrero Gupta Haddad Hall Hamilton Hansen Harris Hassan Henderson Hernández Hill Ho Horvat Hossain Hughes
    Hussain Hussein Ivanova Jackson Jansen Janzen Johal Johnson Jones Joshi Kamara Kang Kaur Kelly Kennedy Khan Kim King
    Kowalski Kumar Lachance Lam Lapointe Lavoie Leblanc Lee Lefebvre Lévesque Lewis Li Lin Liu Lopez Macdonald Mackenzie
    Mahmoud Malik Martin Martínez Mbeki Mcdonald Mehta Mendes Mensah Miller Mitchell Mohamed Mohammadi Moore Morin
    Morris Murphy Murray Mwangi Nakamura Nasser Ndiaye Nguyen Null Nowak O'Brien O'Connor Okafor Okonkwo Olsen Osei
    Ouellet Owusu Papadopoulos Park Parker Patel Pelletier Pereira Pérez Petrov Pham Phillips Poirier Popescu Qureshi
    Rahman Ramírez Ramos Rao Reid Richard Roberts Robinson Rodríguez Rossi Roy Russell Ryan Saleh Samuels Sánchez
    Santos Sato Schmidt Scott Shah Sharma Sidhu Silva Simard Singh Smith Sousa Stewart Suzuki Tadesse Takahashi Tan
    Tanaka Taylor Thériault Thomas Thompson Tran Tremblay Turner Van-der-Berg Vargas Walker Wang Watson White Williams
    Wilson Wong Wood Wright Wu Yamamoto Yang Yilmaz Young Yusuf Zhang Zhao Zhou
    """.split()
)

# What hospitals write before a child has a name (domain rule X4: such a name says nothing about who it is).
PLACEHOLDERS_GIRL: tuple[str, ...] = ("BABY GIRL", "GIRL", "BB GIRL", "INFANT")
PLACEHOLDERS_BOY: tuple[str, ...] = ("BABY BOY", "BOY", "BB BOY", "INFANT")

POSTAL_FIRST = "KLMNP"  # Ontario
POSTAL_LETTERS = "ABCEGHJKLMNPRSTVWXYZ"  # no D F I O Q U anywhere
