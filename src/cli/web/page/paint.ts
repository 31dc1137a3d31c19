import { timeInWords } from '../../../diagram/layout/layout-words.js';
import { paintEvents } from './paint-events.js';
import { visible } from './payload.js';
import { type Drawn, type Scene, sizes, xAt, yOf } from './scene.js';
import type { LaneView } from './store.js';
import { ticks } from './timeline.js';

/** The style sheet's fonts; a canvas does not inherit them. */
const FONTS = `ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace`;

/** Draws the visible lanes. Returns the marks that can be clicked. */
export function paint(pen: CanvasRenderingContext2D, scene: Scene): readonly Drawn[] {
  const { palette, width, height, lanes } = scene;
  pen.fillStyle = palette.page;
  pen.fillRect(0, 0, width, height);
  pen.font = `${sizes.font}px ${FONTS}`;
  pen.textBaseline = 'middle';
  paintGrid(pen, scene);
  pen.save();
  pen.beginPath();
  pen.rect(0, sizes.axis, width, height - sizes.axis);
  pen.clip();
  const first = Math.max(0, Math.floor(scene.top / sizes.row));
  const last = Math.min(lanes.length, Math.ceil((scene.top + height) / sizes.row));
  const drawn: Drawn[] = [];
  for (let index = first; index < last; index += 1) {
    const lane = lanes[index];
    if (lane === undefined) continue;
    paintSpans(pen, scene, lane, index);
    paintLine(pen, scene, lane, index);
    for (const one of paintEvents(pen, scene, lane, index)) drawn.push(one);
  }
  paintSelection(pen, scene, drawn);
  pen.restore();
  return drawn;
}

function paintGrid(pen: CanvasRenderingContext2D, scene: Scene): void {
  const { palette, view, width, height, present, isOpen } = scene;
  pen.fillStyle = palette.panel;
  pen.fillRect(0, 0, width, sizes.axis);
  pen.fillStyle = palette.edge;
  pen.fillRect(0, sizes.axis - 1, width, 1);
  for (const at of ticks(view, width / 110)) {
    const x = Math.round(xAt(scene, at));
    pen.fillStyle = palette.edge;
    pen.fillRect(x, sizes.axis - 6, 1, height);
    pen.fillStyle = palette.quiet;
    pen.fillText(timeInWords(at), x + 4, sizes.axis / 2);
  }
  if (!isOpen) return;
  const x = Math.round(xAt(scene, present));
  pen.fillStyle = palette.focus;
  pen.fillRect(x, 4, 2, height);
}

/** Draws the line of a lane from its beginning to its end. A connection's is thicker. */
function paintLine(
  pen: CanvasRenderingContext2D,
  scene: Scene,
  lane: LaneView,
  index: number,
): void {
  const first = lane.events[0];
  const last = lane.events.at(-1);
  const hasEnded = last?.kind === 'complete' || last?.kind === 'error';
  const from = Math.max(0, xAt(scene, lane.facts.under === undefined ? 0 : (first?.at ?? 0)));
  const to = Math.min(scene.width, xAt(scene, hasEnded ? last.at : scene.present));
  if (to <= from) return;
  const thickness = lane.facts.under === undefined ? 3 : 1.5;
  pen.fillStyle = scene.palette.line;
  pen.fillRect(from, yOf(scene, index) - thickness / 2, to - from, thickness);
}

function paintSpans(
  pen: CanvasRenderingContext2D,
  scene: Scene,
  lane: LaneView,
  index: number,
): void {
  const { palette, width } = scene;
  const top = yOf(scene, index) - sizes.row / 2 + 2;
  for (const { span, label: words, from, to } of lane.spans) {
    const label = visible(words);
    const left = Math.max(0, xAt(scene, from));
    const right = Math.min(width, xAt(scene, to ?? scene.present));
    if (right < 0 || left > width || right < left) continue;
    pen.globalAlpha = 0.5;
    pen.fillStyle = palette.spans[span];
    pen.fillRect(left, top, Math.max(1, right - left), sizes.row - 4);
    pen.globalAlpha = 1;
    if (right - left < pen.measureText(label).width + 12) continue;
    // The background hides the pattern, and the label keeps clear of the bars.
    const y = lane.facts.direction === 'in' ? top + 8 : top + sizes.row - 11;
    pen.fillStyle = palette.page;
    pen.fillRect(left + 2, y - 6, pen.measureText(label).width + 6, 13);
    pen.fillStyle = palette.quiet;
    pen.fillText(label, left + 5, y);
  }
}

/** Draws a frame around the chosen event, and a line through all lanes at its time. */
function paintSelection(
  pen: CanvasRenderingContext2D,
  scene: Scene,
  drawn: readonly Drawn[],
): void {
  const { selection, palette, height } = scene;
  if (selection === undefined) return;
  const { lane, event } = selection;
  const box = drawn.find((one) => one.event === event);
  const x = xAt(scene, event.at);
  pen.strokeStyle = palette.text;
  pen.lineWidth = 1;
  pen.setLineDash([3, 3]);
  pen.beginPath();
  pen.moveTo(Math.round(x) + 0.5, sizes.axis);
  pen.lineTo(Math.round(x) + 0.5, height);
  pen.stroke();
  pen.setLineDash([]);
  pen.strokeStyle = palette.focus;
  pen.lineWidth = 2.5;
  pen.beginPath();
  const [from, to] = box === undefined ? [x - 7, x + 7] : [box.from - 3, box.to + 3];
  pen.roundRect(from, yOf(scene, lane) - sizes.row / 2 + 3, to - from, sizes.row - 6, 6);
  pen.stroke();
}
