// Elements without markup: text is always text, and styles are classes or custom properties.

const SVG = "http://www.w3.org/2000/svg";

/**
 * @typedef {Record<string, string | number | boolean | null | undefined | ((event: any) => void)>} Attributes
 * @typedef {Node | string | null | undefined | false | 0} Child
 */

/** An HTML element. @template {keyof HTMLElementTagNameMap} K @param {K} tag @param {Attributes} attributes @param {Child[]} children @returns {HTMLElementTagNameMap[K]} */
export function h(tag, attributes, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** An SVG element. @template {keyof SVGElementTagNameMap} K @param {K} tag @param {Attributes} attributes @param {Child[]} children @returns {SVGElementTagNameMap[K]} */
export function s(tag, attributes, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

/** @template {Element} E @param {E} element @param {Attributes} attributes @param {Child[]} children */
function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") on(element, name.slice(2), value);
    else if ((value ?? false) !== false) element.setAttribute(name, value === true ? "" : String(value));
  }
  put(element, ...children);
  return element;
}

/** The element of an id, which is there. @param {string} id */
export function the(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found;
}

/** The same for an input or a select. @param {string} id */
export function field(id) {
  return /** @type {HTMLInputElement} */ (the(id));
}

/** What an element holds, exchanged. @param {string | Element} place or its id @param {Child[]} children */
export function put(place, ...children) {
  (typeof place === "string" ? the(place) : place).replaceChildren(.../** @type {Node[]} */ (children.filter(Boolean)));
}

/** Listens. @param {string | EventTarget} target or its id @param {string} name @param {(event: any) => void} heard */
export function on(target, name, heard) {
  (typeof target === "string" ? the(target) : target).addEventListener(name, heard);
}

/** A row of a table; its first cell names it. @param {Child[]} cells @param {string[]} heads said before a cell where there is no room for columns */
export function row(cells, heads = []) {
  return h("tr", {}, ...cells.map((cell, i) => h(i ? "td" : "th", { scope: i ? null : "row", "data-label": heads[i] }, cell)));
}

/** The brush of a canvas. @param {HTMLCanvasElement} canvas */
export function brush(canvas) {
  return /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
}

/** A canvas with a pixel for each cell. @param {number} width @param {number} height @param {(cell: number) => ArrayLike<number>} rgba */
export function painted(width, height, rgba) {
  const canvas = h("canvas", { width, height, "aria-hidden": "true" });
  const image = brush(canvas).createImageData(width, height);
  for (let cell = 0; cell < width * height; cell++) image.data.set(rgba(cell), 4 * cell);
  brush(canvas).putImageData(image, 0, 0);
  return canvas;
}

/** An image on white paper, with its pixels. @param {CanvasImageSource} image @param {number} width of the paper @param {number} height @param {number} wide of the image @param {number} high */
export function printed(image, width, height, wide = width, high = height) {
  const canvas = h("canvas", { width, height });
  const context = brush(canvas);
  context.imageSmoothingQuality = "high";
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  context.drawImage(image, 0, 0, wide, high);
  return { canvas, data: () => context.getImageData(0, 0, width, height).data };
}

/** Lengths, as in 3 × 4. @param {(number | string)[]} lengths */
export function times(lengths) {
  return lengths.join(" × ");
}
