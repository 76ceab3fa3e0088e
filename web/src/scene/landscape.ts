// A loss surface in three dimensions. Drawn anew only when it is turned or replaced.
import {
  AmbientLight, BufferAttribute, BufferGeometry, Color, DirectionalLight, DoubleSide, Line, LineBasicMaterial, LineSegments, Mesh, MeshBasicMaterial,
  MeshLambertMaterial, PerspectiveCamera, Raycaster, Scene, SphereGeometry, Vector2, Vector3, WebGLRenderer, type Material, type Object3D,
} from "three";
import { element, onceAFrame, onWidth, pngOf, type Options } from "../core/component";
import { short, ticks } from "../core/numbers";
import { contour, ground, levels, rise, walkInk, type Relief, type Rise } from "./relief";

export interface Solid {
  update(data: Relief): void;
  destroy(): void;
  toPNG(): Promise<Blob>;
}

const TALL = 0.4; // of the width of the plane
const LIFT = 0.006; // of lines above the surface they lie on
const VIEW = { turn: -0.5, tilt: 0.6, far: 3.85 };
const FLOOR = -0.16;

/** Draw into `el`; `null` where the browser has no WebGL. `onLost` is called if it is taken away later. */
export function mountLandscape(el: HTMLElement, data: Relief, { isDark }: Options, height: number, onLost: () => void): Solid | null {
  const canvas = element("canvas", { role: "img", tabindex: "0", class: "relief" });
  const context = canvas.getContext("webgl2", { antialias: true, alpha: true });
  if (!context || context.isContextLost()) return null;
  const renderer = new WebGLRenderer({ canvas, context, antialias: true, alpha: true });
  const host = element("div", { class: "figure relief-host" }, canvas);
  el.append(host);
  const [scene, camera] = [new Scene(), new PerspectiveCamera(40, 1, 0.05, 20)];
  const sun = new DirectionalLight(0xffffff, 1.7);
  sun.position.set(-1.2, 2.2, 0.8);
  scene.add(new AmbientLight(0xffffff, 1.6), sun);
  let current = data;
  let view = { ...VIEW };
  let labels: Label[] = [];
  const paint = (): void => {
    const width = host.clientWidth || 600;
    renderer.setPixelRatio(Math.min(2, devicePixelRatio || 1));
    renderer.setSize(width, height, true);
    camera.aspect = width / height;
    const far = view.far * Math.max(1, (1.25 * height) / width);
    camera.position.set(far * Math.cos(view.tilt) * Math.sin(view.turn), far * Math.sin(view.tilt) + 0.06, far * Math.cos(view.tilt) * Math.cos(view.turn));
    camera.lookAt(0, 0.06, 0);
    camera.updateProjectionMatrix();
    renderer.render(scene, camera);
    for (const { place, node } of labels) {
      const seen = place(camera.position).project(camera);
      node.style.transform = `translate(-50%, -50%) translate(${(((seen.x + 1) / 2) * width).toFixed(1)}px, ${(((1 - seen.y) / 2) * height).toFixed(1)}px)`;
    }
  };
  const frame = onceAFrame(paint);
  const build = (): void => {
    for (const one of scene.children.filter((child) => !("isLight" in child))) forget(scene, one);
    for (const { node } of labels) node.remove();
    const to = rise(current);
    const space = spaceOf(current, to);
    scene.add(...made(current, to, space, isDark));
    labels = named(current, to, space);
    host.append(...labels.map(({ node }) => node));
    canvas.setAttribute("aria-label", current.label);
  };
  build();
  paint();
  const stopWidth = onWidth(host, () => frame.ask());
  const pointed = (px: number, py: number): void => {
    const caster = new Raycaster();
    caster.setFromCamera(new Vector2(2 * px - 1, 1 - 2 * py), camera);
    const hit = caster.intersectObjects(scene.children.filter((one) => one.name === "surface"))[0];
    const { x, y, onDrop } = current;
    if (hit && onDrop) onDrop(x[0]! + ((hit.point.x + 1) / 2) * (x.at(-1)! - x[0]!), y[0]! + ((1 - hit.point.z) / 2) * (y.at(-1)! - y[0]!));
  };
  turned(canvas, pointed, (by) => {
    view = by === null ? { ...VIEW } : { turn: view.turn + by.turn, tilt: Math.min(1.55, Math.max(0.05, view.tilt + by.tilt)), far: Math.min(6, Math.max(1.1, view.far * by.far)) };
    frame.ask();
  });
  canvas.addEventListener("webglcontextlost", (event) => { event.preventDefault(); onLost(); });
  return {
    update(next): void { current = next; build(); frame.ask(); },
    destroy(): void {
      frame.cancel();
      stopWidth();
      for (const one of [...scene.children]) forget(scene, one);
      renderer.dispose();
      renderer.forceContextLoss();
      host.remove();
    },
    toPNG(): Promise<Blob> { paint(); return pngOf(getComputedStyle(host).getPropertyValue("--card").trim() || "#ffffff", canvas); },
  };
}

/** From coordinates and losses to places in the scene: the plane is two wide, the middle at zero. */
type Space = (x: number, y: number, loss: number) => Vector3;
function spaceOf({ x, y }: Relief, to: Rise): Space {
  const [left, right, front, back] = [x[0]!, x.at(-1)!, y[0]!, y.at(-1)!];
  return (a, b, loss) => new Vector3((2 * (a - left)) / (right - left || 1) - 1, 2 * TALL * to.of(loss), 1 - (2 * (b - front)) / (back - front || 1));
}

function made(data: Relief, to: Rise, space: Space, isDark: boolean): Object3D[] {
  const dark = new Color(isDark ? "#dfe9ee" : "#17222c");
  const onIt = new LineBasicMaterial({ color: dark, transparent: true, opacity: isDark ? 0.35 : 0.4 });
  const below = new LineBasicMaterial({ color: dark, transparent: true, opacity: 0.28 });
  const lifted: Vector3[] = [];
  const floor: Vector3[] = [];
  for (const level of levels(to))
    for (const [x1, y1, x2, y2] of contour(data, level))
      for (const [a, b] of [[x1, y1], [x2, y2]] as const) {
        const place = space(a, b, level);
        lifted.push(place.clone().setY(place.y + LIFT));
        floor.push(place.clone().setY(FLOOR));
      }
  const frame = [[-1, 1], [1, 1], [1, -1], [-1, -1], [-1, 1]].map(([a, b]) => new Vector3(a, FLOOR, b));
  return [
    surface(data, to, space, isDark),
    new LineSegments(new BufferGeometry().setFromPoints(lifted), onIt),
    new LineSegments(new BufferGeometry().setFromPoints(floor), below),
    new Line(new BufferGeometry().setFromPoints(frame), below),
    ...data.walks.flatMap((walk, at) => walked(walk.points, space, walkInk(at, isDark))),
  ];
}

function surface({ x, y, heights }: Relief, to: Rise, space: Space, isDark: boolean): Mesh {
  const columns = x.length;
  const places = new Float32Array(3 * columns * y.length);
  const colours = new Float32Array(places.length);
  const shade = new Color();
  for (let at = 0; at < columns * y.length; at += 1) {
    const loss = Number.isFinite(heights[at]!) ? heights[at]! : to.ceiling;
    space(x[at % columns]!, y[Math.floor(at / columns)]!, loss).toArray(places, 3 * at);
    shade.set(`rgb(${ground(to.of(loss), isDark).join(",")})`).toArray(colours, 3 * at);
  }
  const faces: number[] = [];
  for (let row = 0; row + 1 < y.length; row += 1)
    for (let column = 0; column + 1 < columns; column += 1) {
      const at = row * columns + column;
      if ([at, at + 1, at + columns, at + columns + 1].every((one) => Number.isFinite(heights[one]!))) faces.push(at, at + 1, at + columns, at + 1, at + columns + 1, at + columns);
    }
  const geometry = new BufferGeometry();
  geometry.setAttribute("position", new BufferAttribute(places, 3));
  geometry.setAttribute("color", new BufferAttribute(colours, 3));
  geometry.setIndex(faces);
  geometry.computeVertexNormals();
  const mesh = new Mesh(geometry, new MeshLambertMaterial({ vertexColors: true, side: DoubleSide, polygonOffset: true, polygonOffsetFactor: 1, polygonOffsetUnits: 1 }));
  mesh.name = "surface";
  return mesh;
}

/** A walk as a string of balls joined by a line. */
function walked(points: Relief["walks"][number]["points"], space: Space, ink: string): Object3D[] {
  const places = points.filter((point) => point.every(Number.isFinite)).map(([a, b, loss]) => space(a, b, loss)).map((place) => place.setY(place.y + 2 * LIFT));
  if (!places.length) return [];
  const colour = new Color(ink);
  const material = new MeshBasicMaterial({ color: colour });
  const [small, large] = [new SphereGeometry(0.011, 10, 6), new SphereGeometry(0.032, 20, 14)];
  const ball = (place: Vector3, shape: SphereGeometry): Mesh => {
    const one = new Mesh(shape, material);
    one.position.copy(place);
    return one;
  };
  const every = Math.max(1, Math.ceil(places.length / 60));
  return [
    new Line(new BufferGeometry().setFromPoints(places), new LineBasicMaterial({ color: colour })),
    ...places.filter((_, at) => at % every === 0).map((place) => ball(place, small)),
    ball(places.at(-1)!, large),
  ];
}

interface Label {
  node: HTMLElement;
  /** Where it stands, seen from a place: beside the edges that are near. */
  place(from: Vector3): Vector3;
}

function named(data: Relief, to: Rise, space: Space): Label[] {
  const label = (said: string, kind: string, place: Label["place"]): Label => ({ place, node: element("span", { class: `relief-label ${kind}`, "aria-hidden": "true" }, said) });
  const [left, right, front, back] = [data.x[0]!, data.x.at(-1)!, data.y[0]!, data.y.at(-1)!];
  const near = (from: number): number => (from < 0 ? -1 : 1);
  const alongX = (value: number, out: number): Label["place"] => (from) => new Vector3(space(value, front, to.floor).x, FLOOR, near(from.z) * (1 + out));
  const alongY = (value: number, out: number): Label["place"] => (from) => new Vector3(near(from.x) * (1 + out), FLOOR, space(left, value, to.floor).z);
  // heights stand at the upright edge that is leftmost on the screen; to the right is (z, −x) of the place one looks from
  const upright = (height: number): Label["place"] => (from) => {
    const away = Math.hypot(from.x, from.z) || 1;
    return new Vector3(-near(from.z) - (0.14 * from.z) / away, height, near(from.x) + (0.14 * from.x) / away);
  };
  const tick = (value: number): string => short(Number(value.toPrecision(10)));
  const heights = data.isLog ? [to.floor, to.back(0.5), to.ceiling] : ticks(to.floor, to.ceiling, 4);
  return [
    ...ticks(left, right, 4).map((value) => label(tick(value), "", alongX(value, 0.1))),
    ...ticks(front, back, 4).map((value) => label(tick(value), "", alongY(value, 0.1))),
    ...heights.map((value) => label(tick(value), "", upright(space(left, front, value).y))),
    label(data.names.x, "name", alongX((left + right) / 2, 0.3)),
    label(data.names.y, "name", alongY((front + back) / 2, 0.32)),
    label(data.names.z, "name", upright(2 * TALL + 0.13)),
  ];
}

function forget(scene: Scene, one: Object3D): void {
  scene.remove(one);
  if (one instanceof Mesh || one instanceof Line) {
    (one.geometry as BufferGeometry).dispose();
    for (const material of [one.material as Material | Material[]].flat()) material.dispose();
  }
}

interface Turn { turn: number; tilt: number; far: number }

/** A click points at a place; dragging and arrows turn it, + − and the wheel (with Ctrl, as a pinch is told) go nearer and farther, 0 goes back. */
function turned(canvas: HTMLCanvasElement, pointed: (px: number, py: number) => void, to: (by: Turn | null) => void): void {
  canvas.style.touchAction = "pan-y";
  canvas.style.cursor = "grab";
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    let [x, y] = [event.clientX, event.clientY];
    const begin = [x, y] as const;
    const move = (moved: PointerEvent): void => {
      to({ turn: -(moved.clientX - x) / 160, tilt: (moved.clientY - y) / 200, far: 1 });
      [x, y] = [moved.clientX, moved.clientY];
    };
    const done = (up: PointerEvent): void => {
      const box = canvas.getBoundingClientRect();
      if (up.type === "pointerup" && Math.hypot(up.clientX - begin[0], up.clientY - begin[1]) < 4) pointed((up.clientX - box.left) / box.width, (up.clientY - box.top) / box.height);
      canvas.removeEventListener("pointermove", move);
      canvas.removeEventListener("pointerup", done);
      canvas.removeEventListener("pointercancel", done);
    };
    canvas.addEventListener("pointermove", move);
    canvas.addEventListener("pointerup", done);
    canvas.addEventListener("pointercancel", done);
  });
  canvas.addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    to({ turn: 0, tilt: 0, far: Math.exp(event.deltaY / 300) });
  }, { passive: false });
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const by: Turn | null | undefined = {
      ArrowLeft: { turn: 0.1, tilt: 0, far: 1 }, ArrowRight: { turn: -0.1, tilt: 0, far: 1 }, ArrowUp: { turn: 0, tilt: 0.08, far: 1 }, ArrowDown: { turn: 0, tilt: -0.08, far: 1 },
      "+": { turn: 0, tilt: 0, far: 0.87 }, "=": { turn: 0, tilt: 0, far: 0.87 }, "-": { turn: 0, tilt: 0, far: 1.15 }, "0": null,
    }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    to(by);
  });
}
