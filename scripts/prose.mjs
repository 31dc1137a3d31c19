// ESLint's plugin `prose`: comments, messages and pages are plain sentences (CONTRIBUTING.md,
// "Style"). `prose/plain` looks at sentences and words, `prose/width` at the length of lines.

const LONGEST_SENTENCE = 25;
const WIDEST_LINE = 100;
/** `//` comments only: a docstring lists units, defaults and errors. */
const TALLEST_COMMENT = 3;

/** What is said otherwise. The first group of a pattern, or all of it, is shown. */
const WORDS = [
  [/\bbehind\b(?! NAT)/i, 'after, or following'],
  [/\b(whoever|whomever|nobody|somebody|whom)\b/i, 'the name of the program or the person'],
  [
    /\b(?:peer|reader|program|process|caller|target|initiator|side|server|client|subscriber|stream|connection|host|one|that|those) (who)\b/i,
    'that: a program is a thing',
  ],
  [/\b(hung up|hangs up|hang up)\b/i, 'closed the connection'],
  [/\b(used to be|used to have|no longer|anymore|in former times)\b/i, 'what is true now'],
  [/\b(in vain|for good|sees to it|lest|thereby|hence|thereof|beneath|upon)\b/i, 'a plainer word'],
  [/\b(is|are) to be\b/i, 'must, will or should'],
  [/\b(intake|inbox|onlookers?|newcomers?|audience|crowd|leadTo)\b/i, 'the field’s word'],
  [/\b(giveBack|keepHere|lend|lends|lent)\b/, 'lease and release'],
];

const plain = {
  meta: { type: 'suggestion', schema: [{ enum: ['comments', 'messages'] }] },
  create(context) {
    const { sourceCode } = context;
    const look = (text, loc) => {
      for (const message of [...longSentences(text), ...words(text)])
        context.report({ loc, message });
    };
    const message = (text, loc) => {
      if (!isText(text)) return;
      // A line of a help text that is indented begins another entry.
      for (const entry of text.split(/\n\s*\n|\n(?= {2,8}\S)/)) look(entry, loc);
    };
    // A page: its paragraphs, headings and cells of tables.
    if (context.language?.startsWith?.('markdown') || sourceCode.ast.type === 'root') {
      return {
        paragraph: (node) => look(spoken(node), node.position),
        heading: (node) => look(spoken(node), node.position),
        // A cell is often a list, so the length of its sentences is free.
        tableCell(node) {
          for (const message of words(spoken(node)))
            context.report({ loc: node.position, message });
        },
      };
    }
    return {
      Program() {
        for (const { text, loc, tall } of comments(sourceCode)) {
          if (tall)
            context.report({ loc, message: `A comment has at most ${TALLEST_COMMENT} lines.` });
          for (const paragraph of paragraphs(text)) look(paragraph, loc);
        }
      },
      ...(context.options.includes('messages') && {
        Literal: (node) => message(node.value, node.loc),
        TemplateLiteral(node) {
          message(node.quasis.map(({ value }) => value.cooked ?? '').join('X'), node.loc);
        },
      }),
    };
  },
};

const width = {
  meta: { type: 'layout', schema: [] },
  create(context) {
    const { ast, lines } = context.sourceCode;
    const look = (line) => {
      const text = lines[line - 1];
      // Tables, pictures and addresses cannot be broken.
      if ([...text].length <= WIDEST_LINE || /^\s*\||^!\[|\]\(|https?:|<\w/.test(text)) return;
      const message = `A line has at most ${WIDEST_LINE} columns.`;
      context.report({ loc: { line, column: 1 }, message });
    };
    return {
      // Prettier holds the rest.
      Program() {
        for (const { loc } of ast.comments) {
          for (let line = loc.start.line; line <= loc.end.line; line += 1) look(line);
        }
      },
      root() {
        let code = false;
        lines.forEach((text, index) => {
          if (/^\s*(```|~~~)/.test(text)) code = !code;
          else if (!code && !text.startsWith('    ')) look(index + 1);
        });
      },
    };
  },
};

export default { meta: { name: 'prose' }, rules: { plain, width } };

function* longSentences(text) {
  const flat = text.replace(/\s+/g, ' ').replace(/\b(e\.g|i\.e|etc|vs)\./g, '$1');
  for (const sentence of flat.split(/(?<=[.!?]["”)]?) /)) {
    const count = sentence.split(' ').filter((word) => /[\p{L}\p{N}]/u.test(word)).length;
    if (count > LONGEST_SENTENCE) yield `${count} words in one sentence: “${sentence.trim()}”`;
  }
}

function* words(text) {
  for (const [pattern, better] of WORDS) {
    const found = pattern.exec(text);
    if (found) yield `“${found[1] ?? found[0]}”: say ${better}.`;
  }
}

/** What reads like a sentence: several words. */
function isText(value) {
  return typeof value === 'string' && value.split(/\s+/).length > 4 && /[a-z]{3} [a-z]/.test(value);
}

/** Comments, lines of `//` that follow one another as one. */
function* comments({ ast, lines }) {
  let block;
  for (const comment of ast.comments) {
    const alone =
      lines[comment.loc.start.line - 1].slice(0, comment.loc.start.column).trim() === '';
    if (comment.type === 'Line' && alone) {
      if (block?.loc.end.line === comment.loc.start.line - 1) {
        block = {
          text: `${block.text}\n${comment.value}`,
          loc: { ...block.loc, end: comment.loc.end },
        };
      } else {
        if (block) yield measured(block);
        block = { text: comment.value, loc: comment.loc };
      }
      continue;
    }
    const text = comment.value.replace(/^\*/, '').replace(/^\s*\*/gm, '');
    yield { text: text.replace(/^ /gm, ''), loc: comment.loc, tall: false };
  }
  if (block) yield measured(block);
}

function measured({ text, loc }) {
  // The head of a file may say more.
  const tall = loc.start.line > 1 && text.split('\n').length > TALLEST_COMMENT;
  return { text: text.replace(/^ /gm, ''), loc, tall };
}

/** A text without its code: paragraphs and items of lists. */
function paragraphs(text) {
  return (
    text
      .replace(/^\s*```[^]*?^\s*```/gm, '\n')
      // Code and tables.
      .replace(/^( {4,}\S.*|.*\S {3,}\S.*)$/gm, '')
      .replace(/\{@link ([^}]*)\}/g, '$1')
      .replace(/`[^`]*`/g, 'Code')
      .split(/\n\s*(?:\n|(?=[-*|] |@\w+|\d+\. ))/)
      .map((one) => one.replace(/^\s*([-*|]|@\w+)\s/, ''))
  );
}

/** The words of a node of a page: code counts as one. */
function spoken(node) {
  if (node.type === 'inlineCode' || node.type === 'html') return 'Code';
  if (node.type === 'image') return '';
  if (node.type === 'break') return ' ';
  return node.children ? node.children.map(spoken).join('') : (node.value ?? '');
}
