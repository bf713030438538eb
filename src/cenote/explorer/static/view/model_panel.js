// A trained model's pooling layers: what each does to its maps, and the maps themselves, before and after.

import { number, unpack } from "../engine/arrays.js";
import { shown } from "../engine/formula.js";
import { rgb, scaleOf } from "./colour.js";
import { field, h, on, painted, put, row, the, times } from "./dom.js";

/**
 * @typedef {import("./colour.js").Scale} Scale
 * @typedef {import("../engine/arrays.js").Packed} Packed
 *
 * @typedef {object} Channel
 * @property {number} channel
 * @property {number | string} energy
 * @property {number | string | null} removed
 * @property {Packed} before
 * @property {Packed | null} after
 *
 * @typedef {object} Layer  one run of a pooling layer; what is null is not known, `reason` says why
 * @property {string} name
 * @property {string} kind
 * @property {Record<string, string>} words
 * @property {{op: string, words: import("../engine/dialects.js").Words, p: number | string} | null} asked  what the stage can show
 * @property {string} not_asked  why it cannot
 * @property {string} reason
 * @property {number[]} input
 * @property {number[]} output
 * @property {string[]} arithmetic
 * @property {number[] | null} receptive
 * @property {(number | null)[] | null} jump
 * @property {string} field_reason
 * @property {(number | null)[]} bytes  of the maps before and after
 * @property {[number, number] | null} kept  for the backward pass: with cenote, and with int64 indices
 * @property {number | null} receives
 * @property {number | string} low
 * @property {number | string} high
 * @property {number} count  of channels
 * @property {Channel[]} channels
 * @property {number[]} by_energy
 * @property {number[]} by_removed
 * @property {number[]} scaled  cells on a side that became one, before and after
 * @property {string[]} notes
 *
 * @typedef {{title: string, framework: string, shape: number[], notes: string[], layers: Layer[]}} Model
 */

const STEPS = 64; // of the colour bar

/** @param {import("./app.js").Page} page */
export function modelPanel(page) {
  const model = /** @type {Model | null} */ (page.data.model);
  the("model-card").hidden = !model;
  if (!model) return;
  const { title, framework, shape, notes, layers } = model;
  const [which, order] = ["model-layer", "model-order"].map(field);
  for (const select of [which, order]) on(select, "change", draw);
  layers.forEach(({ name, kind }, i) => which.append(new Option(`${name}: ${last(kind)}`, String(i))));
  put(
    "model-note",
    [`${title} (${framework}), fed ${times(shape)}. Every layer that pools, in the order in which they run.`, ...notes].join(" "),
  );
  const heads = Array.from(document.querySelectorAll("#model-card [scope=col]"), (head) => head.textContent ?? "");
  const rows = layers.map((layer) => row(cells(layer), heads));
  put("model-rows", ...rows);
  draw();

  function draw() {
    const layer = layers[Number(which.value)];
    const { by_energy, by_removed, channels } = layer;
    rows.forEach((each, i) => (each.ariaCurrent = String(layers[i] === layer)));
    order.disabled = !by_removed.length;
    const places = order.value === "by_removed" && by_removed.length ? by_removed : by_energy;
    const scale = scaleOf([number(layer.low, "low"), number(layer.high, "high")]);
    put(
      "model-about",
      ...said(layer, places.length).map((text) => text && h("p", { class: "note" }, text)),
      places.length && bar(scale),
    );
    put("model-maps", ...places.map((place) => pair(layer, channels[place], scale)));
  }

  /** @param {Layer} layer @param {Channel} one @param {Scale} scale */
  function pair(layer, one, scale) {
    const { channel, energy, removed, before, after } = one;
    const lost = removed === null ? "" : `, ${percent(number(removed, "removed"))} removed`;
    const inside = [
      h("b", {}, `channel ${channel}`),
      h("span", { class: "pictures" }, picture(before, scale), after && picture(after, scale)),
      h("span", { class: "title" }, `energy ${shown(number(energy, "energy"), 3)}${lost}`),
    ];
    return layer.asked
      ? h("button", { type: "button", class: "channel", onclick: () => load(layer, one) }, ...inside)
      : h("div", { class: "channel" }, ...inside);
  }

  /** The map and its window on the stage. @param {Layer} layer @param {Channel} one */
  function load({ name, kind, asked, scaled }, { channel, before }) {
    if (!asked) return;
    const { op, words, p } = asked;
    const title = `${name}, channel ${channel}`;
    const small = scaled[0] > 1 ? `; scaled down by ${scaled[0]}, so its cells are not the model's` : "";
    const was = page.view().state;
    page.bring(
      `${title} cannot be shown`,
      () => ({
        ...was, op, words, p: number(p, "p"), integers: false, shape: before.shape, values: unpack(before, "before"),
        title, upstream: null, filter: null, look: { ...was.look, focus: 0, pinned: false },
      }),
      `${title} of ${kind} is on the grids above, ${times(before.shape)} cells with the layer's window${small}`,
    );
    the("stage").scrollIntoView();
  }
}

/** @param {Layer} layer @returns {string[]} as the head of the table names them */
function cells({ name, kind, words, input, output, arithmetic, reason, receptive, jump, field_reason, bytes, kept, receives }) {
  const given = Object.entries(words).map(([name, value]) => `${name}=${value}`).join(", ");
  const count = (/** @type {number | null} */ n) => (n === null ? "–" : n.toLocaleString("en"));
  return [
    `${name}: ${last(kind)}(${given})`,
    `${times(input)} → ${times(output)}`,
    [...new Set(arithmetic)].join("; ") || reason || "–",
    receptive && jump
      ? `${times(receptive)} input cells, ${times(jump.map((step) => step ?? "uneven"))} apart`
      : field_reason || "–",
    bytes.map(count).join(" → "),
    !kept ? "–" : kept[1] ? `${count(kept[0])} with cenote, ${count(kept[1])} otherwise` : "nothing",
    receives === null ? "–" : `${percent(receives)} of cells`,
  ];
}

/** @param {Layer} layer @param {number} shows channels that are shown */
function said({ reason, count, asked, not_asked, scaled, notes }, shows) {
  const small = ["before", "after"].map(
    (when, i) => scaled[i] > 1 && `Maps ${when} are scaled down: ${times([scaled[i], scaled[i]])} cells became one.`,
  );
  const way = asked ? "Choose one to see it with the layer's window." : `The grids cannot show it: ${not_asked}.`;
  return [
    reason && `Numbers are missing: ${reason}.`,
    shows && `${shows} of ${count} channels, each before and after, on one range of colours for the layer. ${way}`,
    ...small,
    ...notes,
  ];
}

/** The slices of a volume stand one below the other. @param {Packed} packed @param {Scale} scale */
function picture(packed, scale) {
  const values = unpack(packed, "map");
  const columns = packed.shape[packed.shape.length - 1];
  return drawn(values, values.length / columns, columns, scale);
}

/** What is no number is left out. @param {number[]} values @param {number} rows @param {number} columns @param {Scale} scale */
function drawn(values, rows, columns, scale) {
  return painted(columns, rows, (i) => [...(rgb(values[i], scale) ?? [0, 0, 0]), Number.isNaN(values[i]) ? 0 : 255]);
}

/** @param {Scale} scale */
function bar(scale) {
  const { low, high } = scale;
  const steps = Array.from({ length: STEPS }, (_, i) => low + ((high - low) * i) / (STEPS - 1));
  return h("p", { class: "bar" }, h("span", {}, shown(low, 3)), drawn(steps, 1, STEPS, scale), h("span", {}, shown(high, 3)));
}

/** @param {string} kind */
function last(kind) {
  return kind.split(".").pop() ?? kind;
}

/** @param {number} share */
function percent(share) {
  return Number.isNaN(share) ? "NaN" : `${shown(100 * share, 3)} %`;
}
