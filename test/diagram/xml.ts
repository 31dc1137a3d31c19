/** An element of an XML file. */
export interface Node {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly Node[];
  /** All text within, in order. */
  readonly text: string;
}

/** Reads the XML that a picture may consist of; throws when it is not well-formed. */
export function parseXml(xml: string): Node {
  const illegal = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u.exec(xml);
  if (illegal !== null) throw new Error(`a character that XML cannot hold at ${illegal.index}`);
  const top: Open = { name: '', attributes: {}, children: [], text: '' };
  const stack = [top];
  let at = 0;
  for (const match of xml.matchAll(/<(\/?)([a-zA-Z][\w-]*)((?: [\w:-]+="[^"<]*")*)(\/?)>/g)) {
    addText(stack, xml.slice(at, match.index));
    at = match.index + match[0].length;
    const [, end, name = '', written = '', empty] = match;
    if (end === '/') {
      const open = stack.pop();
      if (open?.name !== name || written !== '')
        throw new Error(`</${name}> ends <${open?.name ?? ''}>`);
      continue;
    }
    const node: Open = { name, attributes: attributesOf(written), children: [], text: '' };
    stack.at(-1)?.children.push(node);
    if (empty !== '/') stack.push(node);
  }
  addText(stack, xml.slice(at));
  const [root, ...others] = top.children;
  if (stack.length !== 1 || root === undefined || others.length > 0)
    throw new Error('not one element that is closed');
  return root;
}

/** Every element within, in the order of the file. */
export function all(node: Node): readonly Node[] {
  return [node, ...node.children.flatMap(all)];
}

interface Open extends Node {
  readonly children: Node[];
  text: string;
}

function attributesOf(written: string): Readonly<Record<string, string>> {
  const pairs = [...written.matchAll(/ ([\w:-]+)="([^"]*)"/g)].map(
    ([, name = '', value = '']) => [name, plain(value)] as const,
  );
  if (new Set(pairs.map(([name]) => name)).size !== pairs.length)
    throw new Error(`an attribute twice in ${written}`);
  return Object.fromEntries(pairs);
}

function addText(stack: readonly Open[], raw: string): void {
  const text = plain(raw);
  if (stack.length < 2 && text.trim() !== '')
    throw new Error(`text outside of the element: ${text}`);
  for (const node of stack) node.text += text;
}

function plain(raw: string): string {
  if (raw.includes('<')) throw new Error(`a stray < in ${raw}`);
  const entities: Readonly<Record<string, string>> = {
    amp: '&',
    lt: '<',
    gt: '>',
    quot: '"',
    '#39': "'",
  };
  return raw.replace(/&([^;]{0,6};?)/g, (_, entity: string) => {
    const character = entities[entity.slice(0, -1)];
    if (character === undefined || !entity.endsWith(';')) throw new Error(`a stray & in ${raw}`);
    return character;
  });
}
