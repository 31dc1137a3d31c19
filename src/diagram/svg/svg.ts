import { breakLabelWidth, fitting, svgSizes } from './svg-sizes.js';
import { firstLines, timeInWords } from '../layout/layout-words.js';
import { lanesIn, layOut, type Row } from '../layout/layout.js';
import type { Diagram } from '../model.js';
import { drawAxis, drawBreaks, drawGuides } from './svg-axis.js';
import { describe } from './svg-description.js';
import { drawLane, drawMarbles, drawNames, laneHeight } from './svg-lane.js';
import { drawLegend } from './svg-legend.js';
import { groupExtent } from './svg-marble.js';
import { decimal, element, joinMarkup, label, words, type Markup } from './svg-markup.js';
import { patterns } from './svg-patterns.js';
import { setScene, type SvgScene } from './svg-scene.js';
import { pictureClass, styleSheet } from './svg-style.js';

/** Options of {@link toSvg}. */
export interface SvgOptions {
  /**
   * The natural width in pixels, 400 to 4000; default 800. Time that does not fit goes into further
   * rows.
   */
  readonly width?: number;
  /**
   * The prefix of the picture's ids; characters other than letters and digits become `-`. Unique
   * for each picture of a page. Default: the title.
   */
  readonly id?: string;
  /** The resolution of time; default 1. More than twelve empty steps become a break of the axis. */
  readonly millisecondsPerStep?: number;
}

/**
 * Draws a diagram as an SVG file: lanes with marbles, states as patterned bars, a legend, and a
 * description in words for screen readers.
 *
 * The colours follow the reader's light or dark scheme. The same diagram gives the same bytes. No
 * text of the diagram becomes markup.
 */
export function toSvg(
  diagram: Diagram,
  { width = 800, id = diagram.title, millisecondsPerStep = 1 }: SvgOptions = {},
): string {
  const scene = setScene(diagram, identifier(id), Math.min(4_000, Math.max(400, width)));
  const heading = drawHeading(scene);
  const parts: Markup[] = [heading.markup];
  let y = heading.height;
  for (const row of roomiest(scene, millisecondsPerStep)) {
    const drawn = drawRow(scene, row, y);
    parts.push(drawn.markup);
    y += drawn.height + svgSizes.rowGap;
  }
  const legend = drawLegend(scene, y - svgSizes.rowGap + 6);
  const height = Math.ceil(y - svgSizes.rowGap + 6 + legend.height + svgSizes.padding - 6);
  return `${wholePicture(scene, height, joinMarkup(...parts, legend.markup)).markup}\n`;
}

function wholePicture(scene: SvgScene, height: number, content: Markup): Markup {
  const { id, width, diagram, hues } = scene;
  const kinds = (['paused', 'stalled', 'waiting'] as const).filter((kind) =>
    diagram.lanes.some(({ spans }) => spans.some((span) => span.kind === kind)),
  );
  const attributes = {
    xmlns: 'http://www.w3.org/2000/svg',
    class: pictureClass,
    width,
    height,
    viewBox: `0 0 ${decimal(width)} ${height}`,
    role: 'img',
  };
  const body = joinMarkup(
    { markup: '' },
    element('title', { id: `${id}-title` }, words(diagram.title)),
    element('desc', { id: `${id}-desc` }, words(describe(diagram))),
    styleSheet(hues),
    patterns(id, kinds),
    element('rect', { class: 'page', x: 0.5, y: 0.5, width: width - 1, height: height - 1, rx: 8 }),
    content,
  );
  return element(
    'svg',
    { ...attributes, 'aria-labelledby': `${id}-title`, 'aria-describedby': `${id}-desc` },
    { markup: `\n${body.markup}\n` },
  );
}

/** Title and sentence. */
function drawHeading({ diagram, width }: SvgScene): {
  readonly markup: Markup;
  readonly height: number;
} {
  const room = width - 2 * svgSizes.padding;
  const title = firstLines(diagram.title, 2, room, fitting({ size: 17, bold: true }));
  const sentence = firstLines(diagram.sentence, 6, room, fitting({ size: 13 }));
  const titleEnd = svgSizes.padding + 13 + (title.length - 1) * 22;
  const markup = joinMarkup(
    ...title.map((line, index) =>
      label(svgSizes.padding, svgSizes.padding + 13 + index * 22, 's t b', line),
    ),
    ...sentence.map((line, index) =>
      label(svgSizes.padding, titleEnd + 22 + index * 18, 's m q', line),
    ),
  );
  return { markup, height: titleEnd + 14 + sentence.length * 18 };
}

/** The rows with the widest step that needs only one row, or with the narrowest step. */
function roomiest(scene: SvgScene, millisecondsPerStep: number): readonly Row[] {
  const width = scene.width - scene.left - svgSizes.padding - 14;
  const layOutWith = (step: number): readonly Row[] =>
    layOut(
      scene.diagram,
      {
        width,
        step,
        margin: 4,
        extent: (lane, events, hidden) =>
          groupExtent(
            events.map((event) => scene.marble(lane, event)),
            hidden,
          ),
        breakWidth: (milliseconds) => breakLabelWidth(timeInWords(milliseconds)),
      },
      millisecondsPerStep,
    );
  const tightest = layOutWith(20);
  if (tightest.length > 1) return tightest;
  return [44, 40, 36, 32, 28, 24].map(layOutWith).find((rows) => rows.length === 1) ?? tightest;
}

function drawRow(
  scene: SvgScene,
  row: Row,
  top: number,
): { readonly markup: Markup; readonly height: number } {
  const lanes = lanesIn(scene.diagram, row);
  const tops = new Map<string, number>();
  let y = top + svgSizes.axis;
  for (const lane of lanes) {
    tops.set(lane.name, y);
    y += laneHeight(lane);
  }
  const topOf = (name: string): number => tops.get(name) ?? top;
  const middles = new Map(lanes.map(({ name }) => [name, topOf(name) + svgSizes.line]));
  const markup = joinMarkup(
    drawAxis(scene, row, top),
    ...lanes.map((lane) => drawNames(scene, lane, topOf(lane.name))),
    drawGuides(scene, row, middles),
    ...lanes.map((lane) => drawLane(scene, lane, row, topOf(lane.name))),
    drawBreaks(scene, row, top + svgSizes.axis, y - 4),
    ...lanes.map((lane) => drawMarbles(scene, lane, row, topOf(lane.name))),
  );
  return { markup, height: y - top };
}

/** An id that is valid in XML, in CSS and in `url(#…)`. */
function identifier(text: string): string {
  const plain = text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 60);
  return plain === '' ? 'marbles' : plain;
}
