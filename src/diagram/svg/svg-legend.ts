import { explanationsOf } from '../layout/layout-caption.js';
import { short } from '../layout/layout-words.js';
import { drawMarble, marbleWidth } from './svg-marble.js';
import { label, joinMarkup, type Markup } from './svg-markup.js';
import type { SvgScene } from './svg-scene.js';
import { fitting, svgSizes, textWidth } from './svg-sizes.js';

/** The legend, with as many entries in each line as fit, and its height. */
export function drawLegend(
  scene: SvgScene,
  top: number,
): { readonly markup: Markup; readonly height: number } {
  const pieces: Markup[] = [];
  const room = scene.width - 2 * svgSizes.padding;
  let x = 0;
  let y = top + svgSizes.legendLine / 2;
  for (const { lane, event, label: explanation } of explanationsOf(scene.diagram)) {
    // Without a direction in the legend.
    const marble = { ...scene.marble(lane, event), direction: undefined };
    const width = marbleWidth(marble);
    const text = short(explanation, room - width - 8, fitting({ size: 12 }));
    const whole = width + 7 + textWidth(text, { size: 12 });
    if (x > 0 && x + whole > room) {
      x = 0;
      y += svgSizes.legendLine;
    }
    const left = svgSizes.padding + x;
    pieces.push(drawMarble(marble, left, y), label(left + width + 7, y + 4, 's', text));
    x += whole + 22;
  }
  return {
    markup: joinMarkup(...pieces),
    height: pieces.length === 0 ? 0 : y + svgSizes.legendLine / 2 - top,
  };
}
