/** The page's look. The colours are those of the pictures, light and dark. */
export const style = `
:root {
  --page: #fff; --panel: #f6f8fa; --edge: #d1d9e0; --text: #1f2328; --quiet: #59636e; --line: #818b98; --error: #cf222e; --focus: #0969da;
  --paused: #9a6700; --stalled: #cf222e; --waiting: #0969da; --good: #1a7f37;
  --fill-0: #f6f8fa; --fill-1: #ddf4ff; --fill-2: #fff1e5; --fill-3: #dafbe1; --fill-4: #fbefff; --fill-5: #ffeff7; --fill-6: #d9f7f5;
  --stroke-0: #59636e; --stroke-1: #0969da; --stroke-2: #bc4c00; --stroke-3: #1a7f37; --stroke-4: #8250df; --stroke-5: #bf3989; --stroke-6: #0f6e6c;
  --sans: system-ui, -apple-system, 'Segoe UI', 'Noto Sans', 'DejaVu Sans', sans-serif;
  --mono: ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace;
  color-scheme: light dark;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0d1117; --panel: #151b23; --edge: #3d444d; --text: #f0f6fc; --quiet: #9198a1; --line: #7d8590; --error: #ff7b72; --focus: #58a6ff;
    --paused: #d29922; --stalled: #ff7b72; --waiting: #58a6ff; --good: #3fb950;
    --fill-0: #212830; --fill-1: #0c2d6b; --fill-2: #3d1f00; --fill-3: #04351a; --fill-4: #2c1759; --fill-5: #4a0a34; --fill-6: #043a39;
    --stroke-0: #9198a1; --stroke-1: #58a6ff; --stroke-2: #f0883e; --stroke-3: #3fb950; --stroke-4: #bc8cff; --stroke-5: #f778ba; --stroke-6: #39c5cf;
  }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
html, body { height: 100%; margin: 0; }
body { display: flex; flex-direction: column; background: var(--page); color: var(--text); font: 14px/1.45 var(--sans); }
h1, h2, h3, h4, p, ul, ol, dl, dd, pre { margin: 0; padding: 0; }
h1 { font-size: 16px; }
h2 { font-size: 15px; }
h3 { font-size: 14px; }
h4 { font-size: 12px; color: var(--quiet); font-weight: 600; }
ul, ol { list-style: none; }
:focus-visible { outline: 2px solid var(--focus); outline-offset: -2px; }
header { display: flex; gap: 16px; align-items: baseline; padding: 10px 16px; background: var(--panel); border-bottom: 1px solid var(--edge); }
#link { color: var(--quiet); font-size: 13px; }
#link::before { content: '● '; color: var(--good); }
#link.bad { color: var(--error); font-weight: 600; }
#link.bad::before { content: '▲ '; color: inherit; }
main { flex: 1; min-height: 0; display: grid; grid-template-columns: 300px minmax(0, 1fr); }
nav { min-height: 0; overflow: auto; border-right: 1px solid var(--edge); padding: 12px 8px; }
nav h2 { padding: 0 8px 8px; }
#connection-count { color: var(--quiet); font-weight: 400; }
#nobody { padding: 0 8px; color: var(--quiet); }
.connection {
  display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 0 8px; width: 100%; padding: 6px 8px; margin-bottom: 2px; text-align: left;
  font: 12px/1.5 var(--sans); color: var(--quiet); background: none; border: 1px solid transparent; border-radius: 8px; cursor: pointer;
}
.connection:hover { background: var(--panel); }
.connection[aria-current='true'] { background: var(--panel); border-color: var(--edge); box-shadow: inset 3px 0 var(--focus); }
.connection > * { overflow: hidden; text-overflow: ellipsis; white-space: pre; }
.connection .title { color: var(--text); font-size: 13px; }
.connection[data-state='open'] .state { color: var(--good); font-weight: 600; }
.connection[data-state='broken'] .state { color: var(--error); font-weight: 600; }
.connection .peers, .connection .rates, .connection .totals { grid-column: 1 / -1; font-variant-numeric: tabular-nums; }
.connection .peers { font-family: var(--mono); font-size: 11px; }
.connection[data-state='open'] .rates { color: var(--text); }
#conversation { display: flex; flex-direction: column; min-height: 0; min-width: 0; }
.heading { display: flex; flex-wrap: wrap; gap: 8px 16px; align-items: center; padding: 10px 16px; }
.words { flex: 1 1 300px; min-width: 0; }
.words h2 { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
#conversation-about { color: var(--quiet); font-size: 12px; overflow-wrap: anywhere; }
.tools { display: flex; gap: 4px; align-items: center; }
.tools button { font: 13px var(--sans); color: var(--text); background: var(--panel); border: 1px solid var(--edge); border-radius: 6px; padding: 4px 10px; cursor: pointer; }
.tools button:hover { border-color: var(--quiet); }
.tools button[aria-pressed='true'] { background: var(--focus); border-color: var(--focus); color: var(--page); font-weight: 600; }
.tools button[aria-pressed='true']::before { content: '✓ '; }
#zoom { min-width: 64px; text-align: center; color: var(--quiet); font-size: 12px; font-variant-numeric: tabular-nums; }
#stage { flex: 1 1 200px; min-height: 120px; overflow: hidden auto; border-block: 1px solid var(--edge); }
#stage:focus-visible { outline-offset: 0; position: relative; z-index: 1; }
.tools button:disabled { color: var(--quiet); opacity: 0.6; cursor: default; }
#lanes { display: grid; grid-template-columns: 190px minmax(0, 1fr); min-height: 100%; }
#names { position: relative; border-right: 1px solid var(--edge); background: var(--panel); min-height: 100%; }
#names li { position: absolute; left: 0; right: 0; height: 46px; padding: 5px 10px 5px 8px; display: grid; grid-template-columns: minmax(0, 1fr) auto; align-content: center; border-left: 4px solid transparent; border-bottom: 1px solid var(--edge); line-height: 1.3; }
#names li.under { padding-left: 18px; }
#names li.chosen { background: var(--page); }
#names .name { font-weight: 600; overflow: hidden; text-overflow: ellipsis; white-space: pre; }
#names .about { grid-column: 1 / -1; color: var(--quiet); font-size: 11px; }
#names .arrow { color: var(--quiet); font-weight: 600; }
#names [data-hue='1'] { border-left-color: var(--stroke-1); } #names [data-hue='2'] { border-left-color: var(--stroke-2); }
#names [data-hue='3'] { border-left-color: var(--stroke-3); } #names [data-hue='4'] { border-left-color: var(--stroke-4); }
#names [data-hue='5'] { border-left-color: var(--stroke-5); } #names [data-hue='6'] { border-left-color: var(--stroke-6); }
#canvas { position: sticky; top: 0; display: block; width: 100%; cursor: crosshair; touch-action: pan-y; }
#keys { padding: 4px 16px; color: var(--quiet); font-size: 12px; background: var(--panel); border-bottom: 1px solid var(--edge); display: flex; flex-wrap: wrap; gap: 2px 14px; }
kbd { font: 11px var(--mono); border: 1px solid var(--edge); border-radius: 4px; padding: 0 4px; background: var(--page); }
#details { flex: 0 0 232px; overflow: auto; padding: 10px 16px; }
#details h3 { overflow-wrap: anywhere; }
#event-hint { color: var(--quiet); font-size: 12px; }
#event-facts { display: flex; flex-wrap: wrap; gap: 2px 20px; margin: 4px 0 8px; font-size: 13px; }
#event-facts dt { color: var(--quiet); }
#event-facts dt, #event-facts dd { display: inline; }
#event-facts dt { margin-right: 6px; }
#event-facts dd { font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
#payload { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, auto); gap: 12px; }
#payload pre { font: 12px/1.4 var(--mono); background: var(--panel); border: 1px solid var(--edge); border-radius: 6px; padding: 6px 8px; max-height: 130px; overflow: auto; }
#event-text { white-space: pre-wrap; overflow-wrap: anywhere; }
@media (max-width: 900px) {
  main { grid-template-columns: minmax(0, 1fr); grid-template-rows: auto minmax(0, 1fr); }
  nav { border-right: 0; border-bottom: 1px solid var(--edge); padding: 8px; }
  nav h2 { padding-bottom: 4px; }
  #connections { display: flex; gap: 4px; overflow-x: auto; }
  #connections li { flex: 0 0 250px; }
  #lanes { grid-template-columns: 130px minmax(0, 1fr); }
  #payload { grid-template-columns: minmax(0, 1fr); }
  #details { flex-basis: 200px; }
}
@media (max-height: 760px) {
  #details:has(#event-facts:empty) { flex-basis: auto; }
}
@media (max-height: 640px) {
  body { height: auto; min-height: 100%; }
  #stage { flex: 0 0 320px; }
  #details { flex-basis: auto; }
}
`;
