import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { fileFailed } from '../terminal/file-errors.js';
import { markup } from './page-markup.js';
import { style } from './page-style.js';

/** The page as it is sent, and what it may do. */
export interface PageDocument {
  readonly html: string;
  readonly securityPolicy: string;
}

/** Puts the page together from its markup, its style and its script. Nothing else can run in it, and it can reach nothing but its server. */
export function pageDocument(script: string): PageDocument {
  // What would end the script early can only be within a text of it.
  const program = `\n${script.replace(/<(?=\/script|!--|script)/gi, '\\x3c')}`;
  const rules = [
    `default-src 'none'`,
    `script-src '${hashOf(program)}'`,
    `style-src '${hashOf(style)}'`,
    `connect-src 'self'`,
    `img-src data:`,
    `base-uri 'none'`,
    `form-action 'none'`,
    `frame-ancestors 'none'`,
    `require-trusted-types-for 'script'`,
    `trusted-types 'none'`,
  ];
  return {
    html: markup.replace('/* style */', () => style).replace('/* script */', () => program),
    securityPolicy: rules.join('; '),
  };
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}

/** Reads the script that the build makes. Throws `FILE_FAILED`. */
export function readPageScript(): string {
  const file = fileURLToPath(new URL('../../bin/tap-page.js', import.meta.url));
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw fileFailed('read the web page from', file, error);
  }
}
