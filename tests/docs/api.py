"""Fails if a function, or a struct, of the interface has no text in Doxygen's XML output.
usage: api.py XML_FOLDER
"""
import sys
import xml.etree.ElementTree as xml


def has_text(node):
    return any("".join(part.itertext()).strip() for part in node if part.tag.endswith("description"))


def main(folder):
    functions, bare = 0, []
    for compound in xml.parse(f"{folder}/index.xml").getroot():
        if compound.get("kind") not in ("file", "struct"):
            continue
        definition = xml.parse(f"{folder}/{compound.get('refid')}.xml").getroot()[0]
        if not compound.find("name").text.endswith(".md") and not has_text(definition):
            bare.append(compound.find("name").text)
        for member in definition.iter("memberdef"):
            if member.get("kind") == "function" and member.get("static") == "no":  # those of earlier names are static
                functions += 1
                if not has_text(member):
                    bare.append(member.find("name").text)
    for name in bare:
        print(f"{name} has no comment")
    print(f"{functions} functions, {len(bare)} bare names")
    return 0 if functions > 150 and not bare else 1


sys.exit(main(sys.argv[1]))
