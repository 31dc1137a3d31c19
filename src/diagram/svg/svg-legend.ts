import { explanationsOf } from '../layout/layout-caption.js';
import { short } from '../layout/layout-words.js';
import { drawMarble, marbleWidth } from './svg-marble.js';
import { label, lines, type Markup } from './svg-markup.js';
import type { Scene } from './svg-scene.js';
import { fitting, sizes, textWidth } from './svg-sizes.js';

/** What the marbles stand for, as many in a line as fit. Says how high it is. */
export function drawLegend(
  scene: Scene,
  top: number,
): { readonly markup: Markup; readonly height: number } {
  const pieces: Markup[] = [];
  const room = scene.width - 2 * sizes.padding;
  let x = 0;
  let y = top + sizes.legendLine / 2;
  for (const { lane, event, label: told } of explanationsOf(scene.diagram)) {
    // Nothing travels in a legend.
    const marble = { ...scene.marble(lane, event), direction: undefined };
    const width = marbleWidth(marble);
    const text = short(told, room - width - 8, fitting({ size: 12 }));
    const whole = width + 7 + textWidth(text, { size: 12 });
    if (x > 0 && x + whole > room) {
      x = 0;
      y += sizes.legendLine;
    }
    const left = sizes.padding + x;
    pieces.push(drawMarble(marble, left, y), label(left + width + 7, y + 4, 's', text));
    x += whole + 22;
  }
  return {
    markup: lines(...pieces),
    height: pieces.length === 0 ? 0 : y + sizes.legendLine / 2 - top,
  };
}
