export const CHECK_THE_LINE =
  'Correct the XML here; compare with the examples of `man 5 intermezzo`.';
export const CHECK_QUOTES =
  'Look for a missing or surplus quotation mark or `>` here or just before this place.';

type Explanation = readonly [message: string, remedy: string];

const REMOVE_TEXT = 'Remove it, or make it a comment: <!-- ... -->';

/** What sax says, in words that tell what is wrong and what to do. */
const WORDS: Readonly<Record<string, Explanation>> = {
  'Unquoted attribute value': [
    'the value of an attribute must stand in quotation marks',
    'Put the value into quotation marks.',
  ],
  'Attribute without value': ['an attribute has no value', CHECK_QUOTES],
  'No whitespace between attributes': ['a space is missing before an attribute', CHECK_QUOTES],
  'Invalid attribute name': ['this character cannot be part of an attribute', CHECK_QUOTES],
  'Invalid character in tag name': ['this character cannot be in an element name', CHECK_THE_LINE],
  'Forward-slash in opening tag not followed by >': [
    '`/` inside a tag must be followed by `>`',
    CHECK_QUOTES,
  ],
  'Unencoded <': ['`<` must be followed by the name of an element', CHECK_THE_LINE],
  'Text data outside of root node.': ['text outside of the outermost element', REMOVE_TEXT],
  'Non-whitespace before first tag.': ['text before the first element', REMOVE_TEXT],
  'Malformed comment': ['`--` inside a comment', 'End the comment with `-->`, or use one hyphen.'],
  'Invalid character entity': [
    'unknown entity',
    'Write the character itself, or `&amp;` for a lone `&`.',
  ],
};

/** What is wrong and what to do, for a message of sax; one that is not known is shown as it is. */
export function explainMalformed(saying: string): Explanation {
  return WORDS[saying] ?? [`malformed XML (${saying})`, CHECK_THE_LINE];
}
