// What the page shows as an SVG document of its own: the grids as they are drawn, in the page's light colours.

import { printed, s, the } from "../view/dom.js";

const [EDGE, GAP, LINE] = [24, 32, 26];
const DRAWN = /^(\.(square|overlay|cross|hatching|dotting|grid|overhang|nan)|:is\(\.(square|padding)|:root$)/;

/** @typedef {{width: number, height: number}} Size */

/** @param {string} title @returns {Size & {svg: string}} */
export function picture(title) {
  let x = EDGE;
  let tall = 0;
  const figures = ["input", "output", "gradient", "upstream"]
    .filter((name) => !the(`${name}-figure`).hidden)
    .map((name) => {
      const found = shownIn(the(name));
      const caption = the(`${name}-figure`).querySelector("figcaption")?.textContent ?? "";
      const parts = [
        s("text", { class: "muted", x, y: EDGE + 2 * LINE }, caption),
        s("g", { "data-part": name, transform: `translate(${x} ${EDGE + 2.5 * LINE})` }, found.element),
      ];
      x += Math.max(found.width, 7.5 * caption.length) + GAP;
      tall = Math.max(tall, found.height);
      return parts;
    });
  const [formula, reason] = ["formula", "reason"].map((name) => the(name).textContent ?? "");
  const end = EDGE + 3.5 * LINE + tall;
  const width = Math.max(x - GAP, ...[title, formula, reason].map((text) => 10 * text.length)) + EDGE;
  const height = end + 2 * LINE;
  const drawing = s(
    "svg",
    {
      xmlns: "http://www.w3.org/2000/svg",
      "font-family": "system-ui, sans-serif",
      "font-size": 14,
      width,
      height,
      viewBox: `0 0 ${width} ${height}`,
    },
    s("style", {}, rules()),
    document.querySelector("defs")?.cloneNode(true),
    s("rect", { width, height, fill: "#fff" }),
    s("text", { x: EDGE, y: EDGE + 8, "font-size": 18, "font-weight": 650 }, title),
    ...figures.flat(),
    s("text", { x: EDGE, y: end, "font-family": "monospace", "font-size": 16, "font-weight": 600 }, formula),
    s("text", { class: "muted", x: EDGE, y: end + LINE }, reason),
  );
  return { width, height, svg: new XMLSerializer().serializeToString(drawing) };
}

/** A grid as it stands on the page: a copy of its SVG, or its pixels with the marks above. @param {HTMLElement} place */
function shownIn(place) {
  const drawn = place.querySelector("svg");
  if (drawn) {
    const element = /** @type {SVGSVGElement} */ (drawn.cloneNode(true));
    for (const one of [element, ...element.querySelectorAll("*")])
      for (const name of ["id", "role", "tabindex"]) one.removeAttribute(name);
    return { element, width: drawn.width.baseVal.value, height: drawn.height.baseVal.value };
  }
  const layers = [...place.querySelectorAll("canvas")];
  const { width, height } = layers[1];
  return {
    element: s(
      "g",
      {},
      ...layers.map((canvas) => s("image", { href: canvas.toDataURL(), width, height, "image-rendering": "pixelated" })),
    ),
    width,
    height,
  };
}

/** The page's own rules for grids; of its two sets of colours the light one, which stands first. */
function rules() {
  const all = [...document.styleSheets[0].cssRules].filter(
    (rule) => rule instanceof CSSStyleRule && DRAWN.test(rule.selectorText),
  );
  return `${all.map((rule) => rule.cssText).join("")}text{fill:#15181d}.muted{fill:#5a6270}`;
}

/** A picture on a canvas. @param {Size & {svg: string}} drawn @param {number} scale @param {Size} size of the canvas, in units of the picture */
export async function pixels({ width, height, svg }, scale, size = { width, height }) {
  const image = new Image();
  image.src = `data:image/svg+xml,${encodeURIComponent(svg)}`; // a blob would taint the canvas of a page from a file
  await image.decode().catch(() => {
    throw new Error("this browser does not draw the SVG: take the SVG file");
  });
  return printed(image, Math.round(size.width * scale), Math.round(size.height * scale), width * scale, height * scale);
}
