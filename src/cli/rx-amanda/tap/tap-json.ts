import { recordingHeader, recordingLine } from '../draw/recording-file.js';
import type { TapSink } from './tap-sink.js';

/** Writes a recording: what was told, without what was backed up. */
export function tapJson(): TapSink {
  return {
    begin: () => [Buffer.from(recordingHeader)],
    event: () => [],
    change: (change) => [Buffer.from(recordingLine(change))],
  };
}
