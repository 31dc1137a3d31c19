import { captureReader } from '../../src/capture/saved-capture.js';
import { FrameList } from '../../src/capture/frame-list.js';
import { SavedCapture } from '../../src/capture/saved-capture.js';
import type { SavedEvent } from '../../src/capture/saved-event.js';
import { changeLine } from '../../src/cli/rx-amanda/draw/draw-lines.js';
import { Pictures } from '../../src/cli/rx-amanda/draw/draw-pictures.js';
import { toSvg } from '../../src/diagram/svg/svg.js';
import { toText } from '../../src/diagram/text/text.js';
import { RecordingReader, recordingHeader, recordingLine } from '../../src/tap/recording-file.js';
import { SavedChanges } from '../../src/tap/saved-changes.js';
import type { TapChange } from '../../src/tap/tap-change.js';
import { encodeText } from '../../src/wire/text.js';

/**
 * All that `rx-amanda draw` shows of connections: their changes, as lines and as pictures of both
 * kinds.
 */
class Shown {
  readonly #pictures = new Pictures({ most: 20, events: 300 });
  readonly #lines: string[] = [];

  take(change: TapChange): void {
    this.#lines.push(changeLine(change), recordingLine(change));
    this.#pictures.take(change);
  }

  all(): readonly string[] {
    return [
      ...this.#lines,
      ...this.#pictures
        .all()
        .flatMap(({ diagram }) => [toSvg(diagram), toText(diagram, { width: 100 })]),
    ];
  }
}

/** A recording of a tap, from its first byte on. */
export function drawRecording(bytes: Uint8Array): readonly string[] {
  const shown = new Shown();
  const reader = new RecordingReader();
  reader.push(bytes, (change) => {
    shown.take(change);
  });
  reader.end();
  return shown.all();
}

/** The steps of a recording, after a correct first line. */
export function drawSteps(bytes: Uint8Array): readonly string[] {
  return drawRecording(Buffer.concat([encodeText(recordingHeader), bytes]));
}

/** A capture of packets, as frames and as pictures. */
export function drawCapture(bytes: Uint8Array): readonly unknown[] {
  const shown = new Shown();
  const frames: unknown[] = [];
  const list = new FrameList((step) => frames.push(step));
  const changes = new SavedChanges((change) => {
    shown.take(change);
  });
  const event = (one: SavedEvent): void => {
    list.take(one);
    changes.take(one);
  };
  const reader = captureReader(bytes);
  if (reader === undefined) return [];
  const capture = new SavedCapture(reader, undefined, event);
  capture.push(bytes);
  capture.end();
  return [...frames, ...shown.all(), capture.summary];
}
