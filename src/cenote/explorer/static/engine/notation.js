// Windows and layers as one writes them: SIZE[/STRIDE][+PAD][@DILATION][^], >PARTS and *, as `cenote shape` reads them.

import { attempt, broken, range, whole } from "./windows.js";

/**
 * @typedef {import("./windows.js").Pad} Pad
 * @typedef {import("./windows.js").Rule} Rule
 * @typedef {import("./shapes.js").Layer} Layer
 */

const SLIDE = /^([\dx]+)(?:\/([\dx]+))?(?:\+([^/+@^]+))?(?:@([\dx]+))?(\^)?$/;
const LAYER = /^(conv|pool|max|min|avg|sum|lp)([\d>*].*)$/;
const WAY_OUT = "write SIZE[/STRIDE][+PAD][@DILATION][^] as in 3x3/2+1, >7x7 for adaptive or * for global pooling";
const CHANNELS = /^([\dx]+):([^/+@^]*)/; // right behind the size, for a colon in a padding says (before, after)

/**
 * The rules of a text; `rank` repeats a single entry, and a stride left out is `stride`, or the size.
 * @param {string} text @param {number | null} rank @param {string | null} stride @returns {Rule[]}
 */
export function parseRules(text, rank, stride = null) {
  const found = text.trim().split(",").flatMap((part) => partOf(part, stride));
  return perAxis(`the window ${text}`, found, rank ?? found.length);
}

/**
 * Layers divided by white space, as in "conv3:32 max2". A convolution has stride 1 where none is written and one filter
 * unless `:CHANNELS` behind its size says how many; a pool's stride is its size.
 * @param {string} text @param {number} rank @returns {Layer[]}
 */
export function parseLayers(text, rank) {
  return text.split(/\s+/).filter(Boolean).map((word) =>
    attempt(() => layerOf(word, rank), ({ message }) => broken("layers", `${word}: ${message}`)));
}

/** @param {string} word @param {number} rank @returns {Layer} */
function layerOf(word, rank) {
  const [, kind, notation] = LAYER.exec(word) ??
    broken("layers", "no layer; write conv, pool, max, min, avg, sum, lp and a window, as in conv3:32, pool2 or max3x3/2+1");
  if (kind !== "conv") return { name: word, rules: parseRules(notation, rank), channels: null };
  if (/^[>*]/.test(notation)) broken("layers", "a convolution has a kernel; adaptive and global windows are for pools");
  const [head, size, channels] = CHANNELS.exec(notation) ?? ["", "", "1"];
  return { name: word, rules: parseRules(size + notation.slice(head.length), rank, "1"), channels: read("channels", channels) };
}

/** @param {string} part @param {string | null} otherwise @returns {Rule[]} */
function partOf(part, otherwise) {
  const bins = /^\*(x\*)*$/.test(part) ? part.replace(/\*/g, "1") : part[0] === ">" && part.slice(1);
  if (bins !== false) return bins.split("x").map((entry) => ({ kind: "split", parts: read("parts", entry) }));
  const [, size, stride = otherwise ?? size, padding = "0", dilation = "1", up] = SLIDE.exec(part) ??
    broken("layers", `cannot read the window "${part}"; ${WAY_OUT}`);
  const rank = size.split("x").length;
  /** @param {string} field @param {string} text @param {(entry: string) => any} readAs */
  const each = (field, text, readAs = (entry) => read(field, entry)) => perAxis(field, text.split("x").map(readAs), rank);
  const [sizes, strides, dilations] = [each("size", size), each("stride", stride), each("dilation", dilation)];
  const pads = each("padding", padding, padOf);
  const ceil = up === "^";
  if (ceil && /valid|same/i.test(padding)) broken("layers", `${part} joins a padding word and ^; drop the ^ or pad in numbers`);
  return range(rank, (i) => ({ kind: "slide", size: sizes[i], stride: strides[i], dilation: dilations[i], pad: pads[i], ceil }));
}

/** @template T @param {string} what @param {T[]} entries @param {number} rank @returns {T[]} */
function perAxis(what, entries, rank) {
  if (entries.length === 1) return range(rank, () => entries[0]);
  if (entries.length === rank) return entries;
  return broken("layers", `${what} has ${entries.length} entries for ${rank} axes; give one, or one per axis`);
}

/** @param {string} entry @returns {Pad} */
function padOf(entry) {
  const word = entry.toLowerCase();
  if (word === "valid") return [0, 0];
  if (word === "same" || word === "same_lower") return word;
  if (/^[a-z]/.test(word)) broken("layers", `padding ${entry} is no padding word; write valid, same, same_lower`);
  const [lo, hi = lo] = entry.split(/:(.*)/);
  return [read("padding", lo, 0), read("padding", hi, 0)];
}

/** @param {string} field @param {string} entry @param {number} least */
function read(field, entry, least = 1) {
  return whole(field, /^\d+$/.test(entry) ? Number(entry) : entry, least);
}
