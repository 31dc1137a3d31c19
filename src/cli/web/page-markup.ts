/** The page without its style and its script. What is said in it comes by the script, always as text. */
export const markup = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>rx-amanda tap</title>
<link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Cpath d='M0 8h16' stroke='%23818b98' stroke-width='2'/%3E%3Ccircle cx='5' cy='8' r='3.5' fill='%230969da'/%3E%3Ccircle cx='12' cy='8' r='3' fill='%23bc4c00'/%3E%3C/svg%3E">
<style>/* style */</style>
</head>
<body>
<header>
  <h1>rx-amanda tap</h1>
  <p id="link" role="status">connecting…</p>
</header>
<main>
  <nav aria-labelledby="connections-title">
    <h2 id="connections-title">Connections <span id="connection-count"></span></h2>
    <p id="nobody">Nobody has connected to the tap yet. As soon as somebody does, the conversation shows here.</p>
    <ul id="connections"></ul>
  </nav>
  <section id="conversation" aria-labelledby="conversation-title" hidden>
    <div class="heading">
      <div class="words">
        <h2 id="conversation-title"></h2>
        <p id="conversation-about"></p>
      </div>
      <div class="tools" role="toolbar" aria-label="Time">
        <button id="follow" type="button" aria-pressed="true" title="Keep the present in sight (F)">Follow</button>
        <button id="zoom-out" type="button" aria-label="Show more time" title="Show more time (−)">−</button>
        <output id="zoom" aria-label="Time shown"></output>
        <button id="zoom-in" type="button" aria-label="Show less time" title="Show less time (+)">+</button>
        <button id="fit" type="button" title="Show the whole conversation (0)">Fit</button>
        <button id="save" type="button" title="Save what is in sight as a picture (S)">Save SVG</button>
      </div>
    </div>
    <div id="stage" tabindex="0" role="application" aria-label="Lanes of the conversation" aria-describedby="keys">
      <div id="lanes">
        <ol id="names"></ol>
        <canvas id="canvas" aria-hidden="true"></canvas>
      </div>
    </div>
    <p id="keys">
      <span>up → to the target, down ← from it</span>
      <span><kbd>←</kbd> <kbd>→</kbd> event</span>
      <span><kbd>↑</kbd> <kbd>↓</kbd> lane</span>
      <span><kbd>+</kbd> <kbd>−</kbd> zoom</span>
      <span><kbd>Shift</kbd> <kbd>←</kbd> <kbd>→</kbd> or drag: scroll</span>
      <span><kbd>F</kbd> follow</span>
      <span><kbd>0</kbd> fit</span>
      <span><kbd>S</kbd> save</span>
    </p>
    <aside id="details" aria-live="polite" aria-labelledby="event-title">
      <h3 id="event-title">No event chosen</h3>
      <p id="event-hint">Click on something that happened, or walk there with the arrow keys.</p>
      <dl id="event-facts"></dl>
      <div id="payload" hidden>
        <div><h4>Text</h4><pre id="event-text" tabindex="0" aria-label="Payload as text"></pre></div>
        <div><h4>Hex</h4><pre id="event-hex" tabindex="0" aria-label="Payload in hexadecimal"></pre></div>
      </div>
    </aside>
  </section>
</main>
<noscript>This page needs JavaScript: it draws what its server tells it.</noscript>
<script type="module">/* script */</script>
</body>
</html>
`;
