/** The style sheet's colours, for the canvas. */
export interface Palette {
  readonly page: string;
  readonly panel: string;
  readonly edge: string;
  readonly text: string;
  readonly quiet: string;
  readonly line: string;
  readonly error: string;
  readonly focus: string;
  /** The first one is for lanes without a handle. */
  readonly hues: readonly { readonly fill: string; readonly stroke: string }[];
  readonly spans: Readonly<Record<'paused' | 'stalled' | 'waiting', CanvasPattern | string>>;
}

const HUES = 7;
const PATTERN = 8;

/** Reads the current colours, light or dark. */
export function readPalette(canvas: HTMLCanvasElement): Palette {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  const hues = Array.from({ length: HUES }, (_, index) => ({
    fill: colour(`fill-${index}`),
    stroke: colour(`stroke-${index}`),
  }));
  const spans = {
    paused: pattern(canvas, colour('paused'), [[0, PATTERN, PATTERN, 0]]),
    stalled: pattern(canvas, colour('stalled'), [
      [0, PATTERN, PATTERN, 0],
      [0, 0, PATTERN, PATTERN],
    ]),
    waiting: pattern(canvas, colour('waiting'), [[3, 4, 5, 4]]),
  };
  return {
    page: colour('page'),
    panel: colour('panel'),
    edge: colour('edge'),
    text: colour('text'),
    quiet: colour('quiet'),
    line: colour('line'),
    error: colour('error'),
    focus: colour('focus'),
    hues,
    spans,
  };
}

/** A fill pattern: slanted, crossed or dotted, to differ without colour. */
function pattern(
  canvas: HTMLCanvasElement,
  colour: string,
  strokes: readonly (readonly [number, number, number, number])[],
): CanvasPattern | string {
  const tile = document.createElement('canvas');
  tile.width = PATTERN;
  tile.height = PATTERN;
  const pen = tile.getContext('2d');
  if (pen === null) return colour;
  pen.strokeStyle = colour;
  pen.lineWidth = 1.4;
  for (const [x0, y0, x1, y1] of strokes) {
    pen.beginPath();
    pen.moveTo(x0, y0);
    pen.lineTo(x1, y1);
    pen.stroke();
  }
  return canvas.getContext('2d')?.createPattern(tile, 'repeat') ?? colour;
}
