/**
 * Whether GNU tar would leave out a file for one of these patterns, as its `--exclude` reads them.
 * `*` and `?` also stand for `/`, a pattern may begin after any `/`, and a folder takes its
 * contents with it. `name` begins with `./`. Source: PROTOCOL.md, "A GNU tar target".
 */
export function isExcluded(patterns: readonly string[], name: string): boolean {
  const starts = [0];
  for (let at = name.indexOf('/'); at >= 0; at = name.indexOf('/', at + 1))
    if (at + 1 < name.length && name[at + 1] !== '/') starts.push(at + 1);
  return patterns.some((pattern) => {
    const tokens = tokensOf(pattern);
    return starts.some((start) => matches(tokens, name, start));
  });
}

/**
 * Whether an entry's `include` names a file. `./PATTERN` stands for names in the top folder;
 * `./FOLDER/NAME` is a name as it is. A folder takes its contents with it.
 */
export function isIncluded(patterns: readonly string[], name: string): boolean {
  const [, top = ''] = name.split('/');
  return patterns.some((pattern) =>
    pattern.indexOf('/', 2) < 0
      ? matches(tokensOf(pattern.slice(2)), top, 0)
      : name === pattern || name.startsWith(`${pattern}/`),
  );
}

/** One character that fits, or `star` for any number of them. */
type Token = 'star' | ((character: string) => boolean);

/** Takes time that grows with the product of both lengths: a server chooses the patterns. */
function matches(tokens: readonly Token[], name: string, start: number): boolean {
  let at = start;
  let token = 0;
  let retry: { token: number; at: number } | undefined;
  for (;;) {
    const next = tokens[token];
    if (next === undefined && (at === name.length || name[at] === '/')) return true;
    if (next === 'star') {
      token += 1;
      retry = { token, at };
    } else if (next !== undefined && at < name.length && next(name[at] as string)) {
      token += 1;
      at += 1;
    } else if (retry !== undefined && retry.at < name.length) {
      retry.at += 1;
      ({ token, at } = retry);
    } else return false;
  }
}

function tokensOf(pattern: string): readonly Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < pattern.length; at += 1) {
    const character = pattern[at] as string;
    if (character === '*') {
      if (tokens.at(-1) !== 'star') tokens.push('star');
    } else if (character === '?') tokens.push(() => true);
    else if (character === '[') {
      const set = setAt(pattern, at);
      tokens.push(set?.fits ?? is('['));
      at = set?.end ?? at;
    } else if (character === '\\' && at + 1 < pattern.length) {
      at += 1;
      tokens.push(is(pattern[at] as string));
    } else tokens.push(is(character));
  }
  return tokens;
}

function is(expected: string): Token {
  return (character) => character === expected;
}

interface CharacterSet {
  readonly fits: (character: string) => boolean;
  /** The index of its `]`. */
  readonly end: number;
}

/** The set that begins at a `[`; undefined when it never ends, so that `[` is itself. */
function setAt(pattern: string, start: number): CharacterSet | undefined {
  const isNegated = pattern[start + 1] === '!' || pattern[start + 1] === '^';
  const members: ((character: string) => boolean)[] = [];
  let at = start + (isNegated ? 2 : 1);
  for (let first = at; at === first || pattern[at] !== ']'; at += 1) {
    const named = /^\[:([a-z]+):\]/.exec(pattern.slice(at, at + 12));
    if (named !== null) {
      const isIn = classes.get(named[1] as string);
      if (isIn === undefined) return undefined;
      members.push((character) => isIn.test(character));
      at += named[0].length - 1;
      continue;
    }
    if (pattern[at] === '\\') at += 1;
    const low = pattern[at];
    if (low === undefined) return undefined;
    let high = low;
    if (pattern[at + 1] === '-' && pattern[at + 2] !== ']') {
      at += pattern[at + 2] === '\\' ? 3 : 2;
      const end = pattern[at];
      if (end === undefined) return undefined;
      high = end;
    }
    members.push((character) => low <= character && character <= high);
  }
  const isIn = (character: string): boolean => members.some((member) => member(character));
  return { fits: (character) => isIn(character) !== isNegated, end: at };
}

const classes: ReadonlyMap<string, RegExp> = new Map([
  ['alpha', /\p{L}/u],
  ['digit', /[0-9]/],
  ['alnum', /[\p{L}0-9]/u],
  ['lower', /\p{Ll}/u],
  ['upper', /\p{Lu}/u],
  ['space', /\s/],
  ['blank', /[ \t]/],
  ['punct', /[!-/:-@[-`{-~]/],
  ['xdigit', /[0-9A-Fa-f]/],
]);
