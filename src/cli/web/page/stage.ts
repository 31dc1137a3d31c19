import { timeInWords } from '../../../diagram/layout/layout-words.js';
import { find, say } from './elements.js';
import { LaneNames } from './lane-names.js';
import { paint } from './paint.js';
import { type Palette, readPalette } from './palette.js';
import { type Drawn, sizes } from './scene.js';
import { type Selection, nearest } from './selection.js';
import type { ConnectionView } from './store.js';
import {
  type TimeWindow,
  fitted,
  followingView,
  moved,
  scrolled,
  showing,
  zoomed,
} from './timeline.js';

/** The distance in pixels within which a click selects an event. */
const NEAR = 9;
/** Pixels; a shorter movement of the pointer is a click. */
const STILL = 4;

/** The lanes of the chosen connection, in the visible range of time. */
export class Stage {
  readonly #stage = find('stage', HTMLElement);
  readonly #canvas = find('canvas', HTMLCanvasElement);
  readonly #pen = this.#canvas.getContext('2d', { alpha: false });
  readonly #names = new LaneNames();
  readonly #onSelect: (selection: Selection | undefined) => void;
  #palette: Palette | undefined;
  #view: TimeWindow = followingView;
  #drawn: readonly Drawn[] = [];
  #connection: ConnectionView | undefined;
  #selection: Selection | undefined;
  #present = 0;
  #isStale = true;
  #paintedFrom = Number.NaN;

  constructor(onSelect: (selection: Selection | undefined) => void) {
    this.#onSelect = onSelect;
    const stale = (): void => {
      this.#isStale = true;
    };
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      this.#palette = undefined;
      stale();
    });
    new ResizeObserver(stale).observe(this.#stage);
    this.#stage.addEventListener('scroll', stale, { passive: true });
    this.#takePointer();
  }

  get view(): TimeWindow {
    return this.#view;
  }

  get present(): number {
    return this.#present;
  }

  /** Shows a connection: the present of a live one, or the whole of a closed one. */
  open(connection: ConnectionView, present: number): void {
    this.#connection = connection;
    this.#view = connection.closed === undefined ? followingView : this.#whole(connection, present);
    this.#stage.scrollTop = 0;
    this.select(undefined);
  }

  select(selection: Selection | undefined): void {
    this.#selection = selection;
    if (selection !== undefined) {
      this.#view = showing(this.#view, selection.event.at);
      this.#uncover(selection.lane);
    }
    this.#isStale = true;
    this.#onSelect(selection);
  }

  /** Starts or stops following the present. */
  toggle(): void {
    if (this.#connection?.closed === undefined)
      this.#change({ ...this.#view, follows: !this.#view.follows });
  }

  zoom(factor: number, part = this.#view.follows ? 1 : 0.5): void {
    this.#change(zoomed(this.#view, factor, part));
  }

  scroll(part: number): void {
    this.#change(scrolled(this.#view, part));
  }

  fit(): void {
    if (this.#connection !== undefined) this.#change(this.#whole(this.#connection, this.#present));
  }

  /** Draws again, because there is new data. */
  refresh(): void {
    this.#isStale = true;
  }

  /** Draws what has changed. The present counts as changed when it moved by half a pixel. */
  paint(present: number): void {
    const connection = this.#connection;
    const pen = this.#pen;
    if (connection === undefined || pen === null) return;
    this.#present = present;
    // A closed connection has no present to follow.
    if (connection.closed !== undefined && this.#view.follows)
      this.#change(
        present < this.#view.span
          ? this.#whole(connection, present)
          : { ...this.#view, follows: false },
      );
    this.#view = moved(this.#view, present);
    const { from, span } = this.#view;
    const width = this.#canvas.clientWidth;
    const hasMoved =
      Math.abs(from - this.#paintedFrom) * width > span / 2 ||
      (connection.closed === undefined && this.#view.follows && from === 0);
    if (!this.#isStale && !hasMoved) return;
    this.#isStale = false;
    this.#paintedFrom = from;
    this.#names.show(connection.lanes, this.#selection?.lane);
    const height = this.#fitCanvas(pen);
    this.#palette ??= readPalette(this.#canvas);
    const { lanes, closed } = connection;
    const top = this.#stage.scrollTop;
    const scene = {
      lanes,
      view: this.#view,
      present,
      isOpen: closed === undefined,
      selection: this.#selection,
      palette: this.#palette,
      width,
      height,
      top,
    };
    this.#drawn = paint(pen, scene);
    say(find('zoom', HTMLElement), timeInWords(Number(span.toPrecision(3))));
    const follow = find('follow', HTMLButtonElement);
    follow.setAttribute('aria-pressed', String(this.#view.follows));
    follow.disabled = closed !== undefined;
  }

  #fitCanvas(pen: CanvasRenderingContext2D): number {
    const height = this.#stage.clientHeight;
    const scale = devicePixelRatio;
    const [across, down] = [
      Math.round(this.#canvas.clientWidth * scale),
      Math.round(height * scale),
    ];
    if (this.#canvas.width !== across || this.#canvas.height !== down) {
      this.#canvas.width = across;
      this.#canvas.height = down;
      this.#canvas.style.height = `${height}px`;
    }
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    return height;
  }

  /** From the first event to the end. */
  #whole({ lanes }: ConnectionView, present: number): TimeWindow {
    const firsts = lanes.flatMap(({ events, spans }) => [
      events[0]?.at ?? present,
      spans[0]?.from ?? present,
    ]);
    return fitted(Math.min(present, ...firsts), present);
  }

  #change(view: TimeWindow): void {
    this.#view = moved(view, this.#present);
    this.#isStale = true;
  }

  #uncover(lane: number): void {
    const top = lane * sizes.row;
    const room = this.#stage.clientHeight - sizes.axis - sizes.row;
    if (top < this.#stage.scrollTop) this.#stage.scrollTop = top;
    else if (top > this.#stage.scrollTop + room) this.#stage.scrollTop = top - room;
  }

  #takePointer(): void {
    let start: { readonly x: number; readonly view: TimeWindow; hasMoved: boolean } | undefined;
    this.#canvas.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return;
      start = { x: event.clientX, view: this.#view, hasMoved: false };
      this.#canvas.setPointerCapture(event.pointerId);
    });
    this.#canvas.addEventListener('pointermove', ({ clientX }) => {
      if (start === undefined || (!start.hasMoved && Math.abs(clientX - start.x) < STILL)) return;
      start.hasMoved = true;
      this.#change(scrolled(start.view, (start.x - clientX) / this.#canvas.clientWidth));
    });
    this.#canvas.addEventListener('pointerup', ({ offsetX, offsetY }) => {
      if (start?.hasMoved === false) this.#click(offsetX, offsetY);
      start = undefined;
    });
    this.#canvas.addEventListener('pointercancel', () => (start = undefined));
    this.#stage.addEventListener('wheel', (event) => this.#wheel(event), { passive: false });
  }

  #wheel(event: WheelEvent): void {
    const sideways = event.shiftKey ? event.deltaY : event.deltaX;
    if (event.ctrlKey)
      this.zoom(
        event.deltaY > 0 ? 1.25 : 0.8,
        this.#view.follows ? 1 : event.offsetX / this.#canvas.clientWidth,
      );
    else if (sideways !== 0) this.scroll(sideways / this.#canvas.clientWidth);
    else return;
    event.preventDefault();
  }

  #click(x: number, y: number): void {
    const index = Math.floor((y - sizes.axis + this.#stage.scrollTop) / sizes.row);
    const lane = y < sizes.axis ? undefined : this.#connection?.lanes[index];
    if (lane === undefined) return;
    const mark = this.#drawn.findLast(
      (one) => one.lane === index && x >= one.from - 2 && x <= one.to + 2,
    );
    const { from, span } = this.#view;
    const scale = span / this.#canvas.clientWidth;
    const event = mark?.event ?? nearest(lane, from + x * scale, NEAR * scale);
    if (event !== undefined) this.select({ lane: index, event });
  }
}
