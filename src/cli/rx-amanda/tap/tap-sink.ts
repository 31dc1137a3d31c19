import type { TapChange } from '../../../tap/tap-change.js';
import type { TapEvent } from '../../../tap/tap-event.js';

/** What takes the events of a tap into a file as they come. */
export interface TapSink {
  /** What the file begins with. */
  begin(): readonly Uint8Array[];
  event(event: TapEvent): readonly Uint8Array[];
  change(change: TapChange): readonly Uint8Array[];
}
