import type { Markup } from './svg-markup.js';

interface Scheme {
  readonly page: string;
  readonly edge: string;
  readonly text: string;
  readonly quiet: string;
  readonly line: string;
  readonly error: string;
  readonly paused: string;
  readonly stalled: string;
  readonly waiting: string;
  /** Fill and stroke of marbles: without a handle, then for each handle in turn. */
  readonly hues: readonly (readonly [fill: string, stroke: string])[];
}

const light: Scheme = {
  page: '#fff',
  edge: '#d1d9e0',
  text: '#1f2328',
  quiet: '#59636e',
  line: '#818b98',
  error: '#cf222e',
  paused: '#9a6700',
  stalled: '#cf222e',
  waiting: '#0969da',
  hues: [
    ['#f6f8fa', '#59636e'],
    ['#ddf4ff', '#0969da'],
    ['#fff1e5', '#bc4c00'],
    ['#dafbe1', '#1a7f37'],
    ['#fbefff', '#8250df'],
    ['#ffeff7', '#bf3989'],
    ['#d9f7f5', '#0f6e6c'],
  ],
};

const dark: Scheme = {
  page: '#0d1117',
  edge: '#3d444d',
  text: '#f0f6fc',
  quiet: '#9198a1',
  line: '#7d8590',
  error: '#ff7b72',
  paused: '#d29922',
  stalled: '#ff7b72',
  waiting: '#58a6ff',
  hues: [
    ['#212830', '#9198a1'],
    ['#0c2d6b', '#58a6ff'],
    ['#3d1f00', '#f0883e'],
    ['#04351a', '#3fb950'],
    ['#2c1759', '#bc8cff'],
    ['#4a0a34', '#f778ba'],
    ['#043a39', '#39c5cf'],
  ],
};

/** How many colours there are for handles; further handles reuse them. */
export const hueCount = light.hues.length - 1;

/** The class of every picture. */
export const pictureClass = 'rxa';

const SCOPE = `.${pictureClass}`;
const SANS = "system-ui,-apple-system,'Segoe UI','Noto Sans','DejaVu Sans',sans-serif";
const MONO = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace";

/**
 * The light and dark style of a picture, with its colours. Pictures on one page share the rules.
 */
export function styleSheet(hues: readonly number[]): Markup {
  const rules = [
    `${SCOPE}{font:12px ${MONO};max-width:100%;height:auto}`,
    `${SCOPE} .s{font-family:${SANS}}${SCOPE} .t{font-size:17px}${SCOPE} .b{font-weight:600}${SCOPE} .m{font-size:13px}${SCOPE} .k{font-size:11px}`,
    `${SCOPE} path{fill:none;stroke-width:1.5}${SCOPE} .end{stroke-width:3}${SCOPE} .error{stroke-width:3;stroke-linecap:round}`,
    `${SCOPE} .thick{stroke-width:3.5}${SCOPE} .user{stroke-dasharray:2 3}${SCOPE} .guide{stroke-dasharray:2 4;stroke-width:1}`,
    `${SCOPE} .hollow{stroke-dasharray:4 2}${SCOPE} .bar,${SCOPE} .torn{stroke-width:1.2}${SCOPE} .shade{opacity:.35}`,
    ...colours(light, hues),
    `@media (prefers-color-scheme:dark){`,
    ...colours(dark, hues),
    '}',
  ];
  return { markup: `<style>\n${rules.join('\n')}\n</style>` };
}

function colours(scheme: Scheme, hues: readonly number[]): readonly string[] {
  const { page, edge, text, quiet, line, error } = scheme;
  const at = SCOPE;
  const spans = (['paused', 'stalled', 'waiting'] as const).map(
    (kind) => `${at} .${kind}{stroke:${scheme[kind]}}`,
  );
  return [
    `${at} .page{fill:${page};stroke:${edge}}${at} .gap{fill:${page}}${at} .capsule{fill:${page};stroke:${line}}`,
    `${at} text{fill:${text}}${at} .q{fill:${quiet}}${at} path{stroke:${line}}${at} .tree,${at} .guide{stroke:${edge}}${at} .end{stroke:${text}}${at} .error{stroke:${error}}`,
    `${spans.join('')}${at} .wedge{fill:${quiet};stroke:none}`,
    ...hues.map((hue) => colour(hue, scheme)),
  ];
}

/** Incoming marbles are dark on light, outgoing ones light on dark; reversed in a dark scheme. */
function colour(hue: number, { hues, page, text }: Scheme): string {
  const [fill, stroke] = hues[hue] ?? ['none', text];
  const own = `${SCOPE} .h${hue}`;
  return [
    `${own} rect{fill:${fill};stroke:${stroke}}${own} .head,${own}.out rect{fill:${stroke}}${own} .wedge{fill:${stroke}}`,
    `${own}.out text,${own} .inv{fill:${page}}${own} .hollow,${own}.out .hollow{fill:${page}}${own} .on,${own}.out .on{fill:${text}}`,
  ].join('');
}
