import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** A block of code in a document. */
export interface CodeBlock {
  /** The document and the line of the block. */
  readonly place: string;
  readonly language: string;
  readonly code: string;
  /** What a `text` block says that follows directly: the output of this one. */
  readonly output: string | undefined;
}

/** The blocks of README and docs with one of these languages. */
export function codeBlocks(...languages: readonly string[]): readonly CodeBlock[] {
  const pages = [
    ...readdirSync(root).filter((name) => name.endsWith('.md')),
    ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.md') && !name.startsWith('api'))
      .map((name) => join('docs', name)),
  ].sort();
  return pages.flatMap(blocksOf).filter(({ language }) => languages.includes(language));
}

function blocksOf(page: string): readonly CodeBlock[] {
  const text = readFileSync(join(root, page), 'utf8');
  const fences = [...text.matchAll(/^```(\w*)\n([^]*?)^```\n/gm)];
  return fences.map((fence, index) => {
    const [whole, language = '', code = ''] = fence;
    const next = fences[index + 1];
    const between = text.slice(fence.index + whole.length, next?.index);
    const isOutput = next?.[1] === 'text' && between.trim() === '';
    const line = text.slice(0, fence.index).split('\n').length;
    return { place: `${page}:${line}`, language, code, output: isOutput ? next[2] : undefined };
  });
}

/** A pattern for an output in which `…` stands for the rest of a word or a line. */
export function outputPattern(output: string): RegExp {
  const escaped = output.trim().replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('…', '.*')}$`);
}
