import { UNPRINTABLE } from '../../wire/text.js';

/** A piece of SVG. Only {@link words} makes one from text, so that no text becomes markup. */
export interface Markup {
  readonly markup: string;
}

type Attributes = Readonly<Record<string, string | number | undefined>>;

/** An element with attributes and children. Numbers are written with at most one decimal. */
export function element(
  name: string,
  attributes: Attributes,
  ...children: readonly Markup[]
): Markup {
  const written = Object.entries(attributes)
    .map(([key, value]) =>
      value === undefined
        ? ''
        : ` ${key}="${typeof value === 'number' ? decimal(value) : escaped(value)}"`,
    )
    .join('');
  const inner = children.map(({ markup }) => markup).join('');
  return {
    markup: inner === '' ? `<${name}${written}/>` : `<${name}${written}>${inner}</${name}>`,
  };
}

/** A text as content of an element. */
export function words(text: string): Markup {
  return { markup: escaped(text) };
}

/** A line of text at a place. */
export function label(
  x: number,
  y: number,
  className: string | undefined,
  text: string,
  anchor?: 'middle' | 'end',
): Markup {
  return element('text', { x, y, class: className, 'text-anchor': anchor }, words(text));
}

/** Joins pieces with newlines. */
export function joinMarkup(...pieces: readonly Markup[]): Markup {
  return {
    markup: pieces
      .map(({ markup }) => markup)
      .filter((markup) => markup !== '')
      .join('\n'),
  };
}

/** A number in a path: at most one decimal. */
export function decimal(value: number): string {
  return String(Number(value.toFixed(1)));
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Escapes a text for XML. Unprintable characters and noncharacters become U+FFFD. */
function escaped(text: string): string {
  return text
    .replace(UNPRINTABLE, (one) => (LINE_LAYOUT.includes(one) ? one : '\ufffd'))
    .replace(/[\ufffe\uffff]/g, '\ufffd')
    .replace(/[&<>"']/g, (one) => ENTITIES[one] ?? one);
}

/** Controls that XML allows. */
const LINE_LAYOUT = '\t\n\r';
