import type { PageMessage } from '../page-messages.js';

/** Milliseconds until a page that was refused asks again. */
const AGAIN = 5_000;

/**
 * Listens to what the server tells. The browser connects again by itself when the connection is lost, and goes on behind the last thing that
 * it was told; a page that the server refuses asks again after a while.
 */
export function listen(
  onMessages: (messages: readonly PageMessage[]) => void,
  onLink: (words: string, isGood: boolean) => void,
): void {
  const source = new EventSource('events');
  source.addEventListener('open', () => onLink('live', true));
  source.addEventListener('message', ({ data }: MessageEvent<string>) => {
    onMessages(JSON.parse(data) as readonly PageMessage[]);
  });
  source.addEventListener('error', () => {
    if (source.readyState === EventSource.CLOSED) {
      onLink('The server refuses this page; are too many open? It asks again.', false);
      setTimeout(() => listen(onMessages, onLink), AGAIN);
    } else onLink('The tap cannot be reached; this is what was known. It tries again.', false);
  });
}
