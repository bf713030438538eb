// Everything that can be taken along: the page, pictures of it, its state, a link.

import { animation, palette } from "../export/gif.js";
import { download, filename, jsonText, pageText } from "../export/files.js";
import { picture, pixels } from "../export/picture.js";
import { link, links, restored } from "../engine/state.js";
import { field, on, the, times } from "./dom.js";

const FRAMES = 64; // of an animation: of more outputs, evenly spread ones
const MARKS = [0xd9480f, 0x0b7a53, 0xffffff, 0x000000]; // thin lines that keep their colours: window, winner, halo, numbers

/** @param {import("./app.js").Page} page */
export function exportPanel(page) {
  const { say, view } = page;
  const progress = /** @type {HTMLProgressElement} */ (the("export-progress"));
  const formats = field("export-formats");
  on(formats, "click", ({ target }) => target.dataset.format && save(target.dataset.format));
  on("export-open", "change", open);
  on("export-link", "click", copy);
  // A page inside a notebook has no address of its own that a link could name.
  the(/^(about|data):/.test(location.href) ? "export-link" : "export-no-link").remove();

  /** @param {string} format */
  async function save(format) {
    const name = filename(view().state, format);
    formats.disabled = true;
    try {
      const blob = await made(format);
      download(blob, name);
      say(`saved ${name} (${Math.ceil(blob.size / 1024)} KB)`);
    } catch (/** @type {any} */ error) {
      say(`${name} could not be made: ${error.message}`);
    }
    formats.disabled = false;
    progress.hidden = true;
  }

  /** @param {string} format @returns {Promise<Blob>} */
  async function made(format) {
    const { state, answer } = view();
    if (format === "html") return new Blob([pageText(state, page.data)], { type: "text/html" });
    if (format === "json") return new Blob([jsonText(state)], { type: "application/json" });
    if (format === "gif") return walk(walked(answer.values.length));
    const drawn = picture(named(view()));
    if (format === "svg") return new Blob([drawn.svg], { type: "image/svg+xml" });
    const { canvas } = await pixels(drawn, 2);
    const blob = await new Promise((made) => canvas.toBlob(made));
    if (!blob) throw new Error("this browser makes no PNG of that size: take the SVG file");
    return blob;
  }

  /** The window walks over the outputs, on the page too. @param {number[]} outputs */
  async function walk(outputs) {
    const before = view().focus.output;
    const drawn = outputs.map((output) => (page.focus(output), picture(named(view()))));
    page.focus(before);
    const [width, height] = [Math.max(...drawn.map((one) => one.width)), Math.max(...drawn.map((one) => one.height))];
    const frames = outputs.length;
    say(`drawing ${frames} frame${frames > 1 ? "s" : ""}`);
    progress.hidden = false;
    let film = /** @type {ReturnType<typeof animation> | undefined} */ (undefined);
    for (const [i, one] of drawn.entries()) {
      const { canvas, data } = await pixels(one, 1, { width, height });
      const rgba = data();
      film ??= animation(canvas.width, canvas.height, palette(rgba, MARKS), frames <= 9 ? 700 : frames <= 25 ? 550 : 400);
      film.add(rgba);
      progress.value = (i + 1) / frames;
    }
    return /** @type {ReturnType<typeof animation>} */ (film).file();
  }

  async function copy() {
    const { state } = view();
    history.replaceState(null, "", `#s=${link(state)}`);
    const without = links(state) ? "" : "; the array is too large for a link and not included";
    try {
      await navigator.clipboard.writeText(location.href);
      say(`the link is copied${without}`);
    } catch {
      say(`the link stands in the address bar: copy it there${without}`);
    }
  }

  async function open() {
    const chooser = field("export-open");
    const [chosen] = chooser.files ?? [];
    if (!chosen) return;
    const text = await chosen.text();
    const made = () => restored(JSON.parse(text), view().state).state;
    page.bring(`${chosen.name} is no state of this page`, made, `opened ${chosen.name}`);
    chooser.value = "";
  }
}

/** @param {import("./app.js").View} view */
function named({ state: { title, op, words }, asked, answer }) {
  const kind = words.form === "slide" ? op : `${words.form} ${op}`;
  return `${title && `${title}: `}${kind} pooling, ${times(asked.shape)} to ${times(answer.shape)}`;
}

/** All outputs, or evenly spread ones with the first and the last. @param {number} count */
function walked(count) {
  const frames = Math.min(count, FRAMES);
  return Array.from({ length: frames }, (_, i) => Math.round((i * (count - 1)) / Math.max(1, frames - 1)));
}
