import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Diagram } from '../../diagram/model.js';
import { toSvg } from '../../diagram/svg/svg.js';
import { isOwnHost, isToken } from './gate.js';
import type { PageDocument } from './page-document.js';

/** What requests need to be answered. */
export interface PageRoutes {
  readonly token: string;
  /** The host that the server listens on. */
  readonly host: string;
  readonly document: PageDocument;
  readonly diagram: (
    connection: number,
    range: { readonly from: number; readonly to: number },
  ) => Diagram | undefined;
  /** Hears of a request with the token, before it is answered. */
  readonly admitted: () => void;
  /** Starts a feed on the response. `known` is the number of the last step that the page has. */
  readonly follow: (response: ServerResponse, known: number | undefined) => void;
}

/** Answers a request. Refuses one without the token, and every request of another origin's page. */
export function answerPageRequest(
  request: IncomingMessage,
  response: ServerResponse,
  routes: PageRoutes,
): void {
  for (const [name, value] of Object.entries(always)) response.setHeader(name, value);
  // Only the path counts; a host in the request line is ignored.
  const url = parsed(request.url ?? '');
  const [, given = '', name = ''] = url?.pathname.split('/') ?? [];
  if (!isOwnHost(request.headers.host, routes.host))
    refuse(
      response,
      403,
      'This name is not one that the page is served under. ' +
        'Use the address that rx-amanda has printed.',
    );
  else if (url === undefined || !isToken(given, routes.token))
    refuse(
      response,
      401,
      'The address lacks the token. Use the whole address that rx-amanda has printed.',
    );
  else {
    routes.admitted();
    answer(request, response, url, name, routes);
  }
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  name: string,
  routes: PageRoutes,
): void {
  if (request.method !== 'GET' && request.method !== 'HEAD')
    refuse(response, 405, 'There is nothing to change here.');
  else if (name === '' && url.pathname.endsWith('/')) sendPage(response, routes.document);
  else if (name === 'events')
    routes.follow(response, wholeNumber(request.headers['last-event-id']));
  else if (name === 'svg') sendSvg(response, url.searchParams, routes);
  else refuse(response, 404, 'There is nothing here.');
}

/** Refuses a request with a sentence. */
export function refuse(response: ServerResponse, status: number, sentence: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${sentence}\n`);
}

const always = {
  'cache-control': 'no-store',
  'content-security-policy': `default-src 'none'; frame-ancestors 'none'; sandbox`,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
} as const;

function sendPage(response: ServerResponse, { html, securityPolicy }: PageDocument): void {
  response
    .writeHead(200, {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': securityPolicy,
    })
    .end(html);
}

function sendSvg(response: ServerResponse, query: URLSearchParams, { diagram }: PageRoutes): void {
  const connection = wholeNumber(query.get('connection') ?? undefined);
  const from = wholeNumber(query.get('from') ?? undefined) ?? 0;
  const to = wholeNumber(query.get('to') ?? undefined) ?? Infinity;
  const drawn = connection === undefined ? undefined : diagram(connection, { from, to });
  if (drawn === undefined) {
    refuse(response, 404, 'There is no such connection, or it is too old to be kept.');
    return;
  }
  // A picture tells times apart down to a hundredth of its range.
  const svg = toSvg(drawn, {
    width: 1_200,
    millisecondsPerStep: Math.max(1, Math.round(drawn.length / 100)),
  });
  response.writeHead(200, {
    'content-type': 'image/svg+xml; charset=utf-8',
    'content-disposition': `attachment; filename="connection-${connection}.svg"`,
  });
  response.end(svg);
}

function parsed(path: string): URL | undefined {
  return path.startsWith('/') && URL.canParse(path.replace(/^\/+/, '/'), 'http://page')
    ? new URL(path.replace(/^\/+/, '/'), 'http://page')
    : undefined;
}

function wholeNumber(text: string | readonly string[] | undefined): number | undefined {
  return typeof text === 'string' && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
