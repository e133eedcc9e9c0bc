"""by_hand.py - documents that a person would try first: each word with another value, each number at its edge.

Each is a layout, what is changed in its document, and what must come of it: the words of a refusal, or None where a
kernel must obey the document, or tell at boot why it cannot. `documents.py --hand` goes through them all, or through
those that are named.
"""
import by_hand_space        # all three are for what they write down
import by_hand_choices
import by_hand_several
from hand import DOCUMENTS, LINKER, document_of
