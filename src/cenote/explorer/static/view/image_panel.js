// Somebody's own image or array: chosen, dropped or pasted. It is read here, and goes nowhere else but to the server of the page.

import { unpack } from "../engine/arrays.js";
import { field, on, printed, put, times } from "./dom.js";

const BYTES = 32 << 20;
const LUMA = [0.299, 0.587, 0.114]; // the primaries as the eye weighs them (ITU-R BT.601)

/** @param {import("./app.js").Page} page */
export function imagePanel({ bring, view, data: { token } }) {
  const [input, size, card] = ["image-file", "image-size", "image-card"].map(field);
  let last = /** @type {File | undefined} */ (undefined);
  if (token) input.accept += ",.npy";
  on(input, "change", () => (take(input.files?.[0]), (input.value = "")));
  on(size, "change", () => take(last));
  for (const [name, over] of Object.entries({ dragover: true, dragleave: false, drop: false })) {
    on(card, name, (event) => {
      event.preventDefault();
      card.classList.toggle("over", over);
      if (name === "drop") take(event.dataTransfer.files[0]);
    });
  }
  on(window, "paste", ({ clipboardData }) =>
    take([...(clipboardData?.files ?? [])].find((file) => file.type.startsWith("image/"))),
  );

  /** @param {File | undefined} file */
  async function take(file) {
    if (!file) return;
    last = file;
    try {
      if (file.size === 0) throw new Error("the file is empty");
      if (file.size > BYTES) throw new Error(`the file has ${Math.round(file.size / 2 ** 20)} MB, and 32 are read`);
      const { shape, values, integers, note } = /\.npy$/i.test(file.name) ? await served(file) : await here(file, Number(size.value));
      const name = file.name || "pasted image";
      put("image-said", bring(`${name} cannot be shown`, () => fitted(view().state, { shape, values, integers, title: name })) ? note : "");
    } catch (/** @type {any} */ error) {
      put("image-said", `${file.name || "what was pasted"}: ${error.message}; what was here stays`);
    }
  }

  /** Arrays are read by cenote itself. @param {File} body */
  async function served(body) {
    if (!token) throw new Error("arrays are read by cenote: cenote explore FILE.npy, or --serve");
    const answer = await fetch(`array?rank=${Math.max(2, view().asked.shape.length)}`, { method: "POST", body, headers: { "X-Cenote-Token": token } });
    const { error, shape, values, integers, note } = await answer.json();
    if (!answer.ok) throw new Error(error);
    return { shape, values: unpack(values, "values"), integers, note: note ?? `${times(shape)} cells` };
  }
}

/** Windows stay as they are where the number of axes does. @param {import("../engine/state.js").State} was @param {{shape: number[], values: number[], integers: boolean, title: string}} array */
function fitted(was, array) {
  const each = (/** @type {any[]} */ list) => array.shape.map((_, i) => list[Math.min(i, list.length - 1)]);
  const { size, stride, padding, dilation } = was.words;
  const words = {
    ...was.words,
    size: each(size),
    stride: stride && each(stride),
    padding: each(padding),
    dilation: each(dilation),
  };
  return { ...was, ...array, upstream: null, words, look: { ...was.look, focus: 0, pinned: false } };
}

/** @param {File} file @param {number} most */
async function here(file, most) {
  const bitmap = await createImageBitmap(file).catch(() => {
    throw new Error("this is no image that the browser can read");
  });
  const by = Math.min(1, most / Math.max(bitmap.width, bitmap.height));
  const [width, height] = [bitmap.width, bitmap.height].map((n) => Math.max(1, Math.round(n * by)));
  const data = printed(bitmap, width, height).data();
  const values = Array.from(
    { length: width * height },
    (_, i) => Math.round(LUMA.reduce((sum, weight, k) => sum + weight * data[4 * i + k], 0) / 0.255) / 1000,
  );
  const cells = times([width, height]);
  return {
    shape: [height, width],
    values,
    integers: false,
    note: by < 1 ? `${times([bitmap.width, bitmap.height])} was scaled down to ${cells}` : `${cells} cells`,
  };
}
