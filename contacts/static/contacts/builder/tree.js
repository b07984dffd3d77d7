/* The rule as a tree that is edited, and its way from and to the JSON that the server judges.
 *
 * group {id, kind: "group", mode, parts}   mode: all, any, none (not any), notall (not all)
 * leaf  {id, kind: "leaf", not, data}      data: one condition of the rule language, as it is
 */

let last = 0;
export const fresh = () => `n${(last += 1)}`;

export const leaf = (data, not = false) => ({ id: fresh(), kind: "leaf", not, data });
export const group = (parts = [], mode = "all") => ({ id: fresh(), kind: "group", mode, parts });

const OPPOSITE = { all: "notall", notall: "all", any: "none", none: "any" };

/** A tree whose root is a group, from decoded JSON. */
export function read(rule) {
  const found = node(rule || {});
  if (found.kind === "group") return found;
  return group(Object.keys(found.data).length ? [found] : []);
}

function node(rule) {
  if (rule && typeof rule === "object") {
    for (const mode of ["all", "any"]) {
      if (Array.isArray(rule[mode])) return group(rule[mode].map(node), mode);
    }
    if (rule.not && typeof rule.not === "object") {
      const inner = node(rule.not);
      if (inner.kind === "group") inner.mode = OPPOSITE[inner.mode];
      else inner.not = !inner.not;
      return inner;
    }
  }
  return leaf(structuredClone(rule));
}

/** The JSON, and where in it each node stands: {rule, places: Map(path -> id)}. */
export function write(root) {
  const places = new Map();
  if (!root.parts.length) return { rule: {}, places };
  const plain = root.parts.length === 1 && root.mode === "all";
  const rule = write_node(plain ? root.parts[0] : root, "", places);
  if (!plain) places.set("", root.id);
  return { rule, places };
}

const under = (path, step) => (typeof step === "number" ? `${path}[${step}]` : path ? `${path}.${step}` : step);

function write_node(each, path, places) {
  if (each.kind === "leaf") {
    const place = each.not ? under(path, "not") : path;
    places.set(place, each.id);
    return each.not ? { not: each.data } : each.data;
  }
  const negated = each.mode === "none" || each.mode === "notall";
  const outside = negated ? under(path, "not") : path;
  const word = each.mode === "any" || each.mode === "none" ? "any" : "all";
  const place = under(outside, word);
  places.set(outside, each.id);
  const parts = each.parts.map((part, index) => write_node(part, under(place, index), places));
  return negated ? { not: { [word]: parts } } : { [word]: parts };
}

/** The node that a fault's path leads to, and the rest of the path inside it. */
export function at(places, path) {
  let found = null;
  for (const place of places.keys()) {
    const inside = place === "" || path === place || path.startsWith(`${place}.`) || path.startsWith(`${place}[`);
    if (inside && (found === null || place.length > found.length)) found = place;
  }
  return found === null ? null : { id: places.get(found), inside: path.slice(found.length).replace(/^\./, "") };
}

export function* walk(root, parent = null, depth = 0) {
  yield { node: root, parent, depth };
  for (const part of root.parts || []) yield* walk(part, root, depth + 1);
}

export function find(root, id) {
  for (const each of walk(root)) if (each.node.id === id) return each;
  return null;
}

export const inside = (outer, id) => Boolean(find(outer, id));

/* ── Changes. Each returns the id of the node to look at next, or null where nothing could be done. ── */

export function add(root, parent_id, part, index = Infinity) {
  const parent = find(root, parent_id).node;
  parent.parts.splice(Math.min(index, parent.parts.length), 0, part);
  return part.id;
}

export function remove(root, id) {
  const { parent } = find(root, id);
  if (!parent) return null;
  const index = parent.parts.findIndex((part) => part.id === id);
  parent.parts.splice(index, 1);
  return (parent.parts[index] || parent.parts[index - 1] || parent).id;
}

export function duplicate(root, id) {
  const { node: original, parent } = find(root, id);
  const copy = structuredClone(original);
  for (const each of walk(copy)) each.node.id = fresh();
  parent.parts.splice(parent.parts.indexOf(original) + 1, 0, copy);
  return copy.id;
}

export function wrap(root, id) {
  const { node: original, parent } = find(root, id);
  const outer = group([original], parent.mode === "any" ? "all" : "any");
  parent.parts.splice(parent.parts.indexOf(original), 1, outer);
  return id;
}

/** Put what a group holds in the group's own place. */
export function unwrap(root, id) {
  const { node: outer, parent } = find(root, id);
  if (!parent || !outer.parts.length) return null;
  parent.parts.splice(parent.parts.indexOf(outer), 1, ...outer.parts);
  return outer.parts[0].id;
}

/** One place up or down among its neighbours. */
export function shift(root, id, by) {
  const { node: moved, parent } = find(root, id);
  const index = parent.parts.indexOf(moved);
  if (index + by < 0 || index + by >= parent.parts.length) return null;
  parent.parts.splice(index, 1);
  parent.parts.splice(index + by, 0, moved);
  return id;
}

/** Out of its group, to just after it. */
export function outward(root, id) {
  const { node: moved, parent } = find(root, id);
  const above = find(root, parent.id).parent;
  if (!above) return null;
  parent.parts.splice(parent.parts.indexOf(moved), 1);
  above.parts.splice(above.parts.indexOf(parent) + 1, 0, moved);
  if (!parent.parts.length) above.parts.splice(above.parts.indexOf(parent), 1);
  return id;
}

/** Into the group beside it: the one before it, else the one after. */
export function inward(root, id) {
  const { node: moved, parent } = find(root, id);
  const index = parent.parts.indexOf(moved);
  const before = parent.parts[index - 1];
  const after = parent.parts[index + 1];
  const into = before?.kind === "group" ? before : after?.kind === "group" ? after : null;
  if (!into) return null;
  parent.parts.splice(index, 1);
  if (into === before) into.parts.push(moved);
  else into.parts.unshift(moved);
  return id;
}

/** To a place in a group, wherever it was; never into itself. */
export function move(root, id, parent_id, index) {
  const { node: moved, parent } = find(root, id);
  if (inside(moved, parent_id)) return null;
  const from = parent.parts.indexOf(moved);
  parent.parts.splice(from, 1);
  const shifted = parent.id === parent_id && from < index ? index - 1 : index;
  return add(root, parent_id, moved, shifted);
}
