// Written by tools/wire_types.py from the Python records. Do not edit: change the record, then run the tool.

export type Num = number | "NaN" | "Infinity" | "-Infinity";

export interface ActivationCurve {
  name: string;
  x: Num[];
  values: Num[];
  slopes: Num[];
  largest_slope: number;
  saturated: [Num, Num][];
  sentence: Sentence;
  trait: Sentence;
}

export interface ActivationSight {
  name: string;
  low: number;
  high: number;
  counts: number[];
  dead: number;
}

export interface AdvanceRequest {
  steps: number;
  milliseconds: number;
}

export interface Block {
  kind: "linear" | "activation" | "norm" | "dropout" | "softmax" | "residual";
  width: number;
  name: string;
  rate: number;
  shortcut: "identity" | "zero_pad" | "projection";
  blocks: Block[];
}

export interface Card {
  id: string;
  name: string;
  severity: string;
  confidence: number;
  certainty: string;
  is_primary: boolean;
  step: number;
  place: string;
  placed: Sentence;
  sentence: Sentence;
  evidence: EvidenceRow[];
  changes: Change[];
  excluded: Sentence[];
}

export interface CellsPart {
  row: number;
  y: number;
  values: Num[];
  letters: string;
}

export interface Change {
  name: string;
  code: string;
  sentence: Sentence;
}

export interface ChangePoint {
  kind: string;
  say: Sentence;
  low: number;
  high: number;
  before: number;
  after: number;
  estimate: number;
}

export interface ChangesPart {
  points: ChangePoint[];
  threshold: Num;
  reached_at: Num;
  how: string;
}

export interface CheckList {
  passed: CheckRow[];
}

export interface CheckRow {
  id: string;
  name: string;
  title: Sentence;
  value: Sentence | null;
}

export interface ColumnsPart {
  values: Num[];
  letters: string;
  exponents: Num[];
  errors: Num[];
  keep: number;
  observed: string;
}

export interface CureBoard {
  run: string;
  why_not: Sentence | null;
  command: string;
  script: string;
  is_changed: boolean;
  job: CureJob | null;
  proofs: ProofLine[];
  most_budget: number;
  read_at: number;
}

export interface CureJob {
  id: string;
  state: "running" | "cancelling" | "ended";
  steps: CureStep[];
  elapsed: number;
  budget: number;
  seeds: number;
  exit_code: number | null;
  outcome: Sentence | null;
  said: string[];
  has_proof: boolean;
  only: string;
}

export interface CureRequest {
  budget: number;
  seeds: number;
  language: "en" | "ja";
  only: string;
}

export interface CureStarted {
  job: string;
  why_not: Sentence | null;
}

export interface CureStep {
  at: number;
  what: string;
  say: Sentence;
}

export interface CurvePair {
  title: Sentence;
  before: LossBand | null;
  after: LossBand | null;
  low: Num;
  high: Num;
  is_logarithmic: boolean;
  last: number;
}

export interface CurveSeen {
  curve: ActivationCurve;
}

export interface Done {
  name: string;
}

export interface Envelope {
  topic: string;
  kind: "snapshot" | "delta" | "problem";
  position: string;
  data: unknown;
}

export interface EventFlag {
  kind: string;
  step: number;
  say: Sentence;
  severity: string;
}

export interface EvidenceCurve {
  finding: string;
  place: string;
  evidence: string;
  steps: number[];
  low: Num[];
  high: Num[];
}

export interface EvidenceCurves {
  curves: EvidenceCurve[];
}

export interface EvidenceRow {
  name: string;
  value: Num;
  limit: Num | null;
  unit: string;
  source: string;
  name_ja: string;
  source_ja: string;
  shown: string;
  shown_limit: string;
  unit_ja: string;
}

export interface Flow {
  nodes: GraphNode[];
  edges: GraphEdge[];
  why_not: Sentence | null;
}

export interface Frame {
  step: number;
  losses: (number | null)[];
  held_out_loss: number | null;
  accuracy: number | null;
  guess: number;
  layers: LayerSight[];
  activations: ActivationSight[];
  picture: ((number | null)[])[];
  matrix: number[][] | null;
  is_over: boolean;
}

export interface GraphEdge {
  source: string;
  target: string;
  label: string;
}

export interface GraphNode {
  id: string;
  label: string;
  kind: string;
  layer: number;
}

export interface GrowthPicture {
  title: Sentence;
  steps: number[];
  value: Num[];
  mean: Num[];
}

export interface HeldOut {
  steps: number[];
  values: Num[];
  say: Sentence;
}

export interface JobPart {
  columns: ColumnsPart | null;
  changes: ChangesPart | null;
  cells: CellsPart | null;
  orbit: OrbitPart | null;
  trainability: TrainabilityPart | null;
  tile: TilePart | null;
  name: NamePart | null;
}

export interface JobState {
  job: string;
  kind: "diagram" | "regimes" | "orbit" | "trainability" | "tiles" | "names";
  state: "starting" | "running" | "done" | "cancelled" | "failed";
  done: number;
  total: number;
  seconds: number;
  seconds_left: Num;
  position: number;
  parts: JobPart[];
  problem: Sentence | null;
}

export interface Landscape {
  plane: string;
  step: number;
  a: number[];
  b: number[];
  values: (number | null)[];
  labels: [Sentence, Sentence];
  path: ([number, number, number | null])[];
  finding: Sentence;
  hidden: Sentence;
  said: Sentence[];
}

export interface LayerDistribution {
  name: string;
  is_logarithmic: boolean;
  steps: number[];
  low: Num[];
  high: Num[];
  shares: Num[][];
  zeros: Num[];
  lost: Num[];
}

export interface LayerHistory {
  layer: number;
  name: string;
  series: LayerSeries[];
  distributions: LayerDistribution[];
}

export interface LayerRow {
  name: string;
  kind: string;
  shape: string;
  activation: string;
  letter: string;
  wind: Shown | null;
  gradient_norm: Shown | null;
  weight_norm: Shown | null;
  update_ratio: Shown | null;
  dead_share: Shown | null;
  saturated_share: Shown | null;
}

export interface LayerSeries {
  name: string;
  steps: number[];
  low: Num[];
  high: Num[];
}

export interface LayerSight {
  name: string;
  wind: number | null;
  gradient_norm: number | null;
  weight_norm: number | null;
  inputs: number;
  outputs: number;
  weights: ((number | null)[])[];
}

export interface LossBand {
  steps: Num[];
  middle: Num[];
  low: Num[];
  high: Num[];
  seeds: Num[][];
  lost: number | null;
}

export interface LossPicture {
  title: Sentence;
  steps: number[];
  low: Num[];
  high: Num[];
  lost: number[];
  trivial: number | null;
  validation: HeldOut | null;
}

export interface MapPicture {
  title: Sentence;
  names: string[];
  steps: number[];
  recorded: number;
  now: Num[];
  wind: Num[][];
  norm: Num[][];
  wind_low: Num[][];
  wind_high: Num[][];
  norm_low: Num[][];
}

export interface MarkRequest {
  step: number;
  text: string;
}

export interface MetricRow {
  name: Sentence;
  before: Num;
  before_low: Num;
  before_high: Num;
  after: Num;
  after_low: Num;
  after_high: Num;
  gain: Num;
  improved: number;
  seeds: number;
}

export interface Misfit {
  place: number[];
  sentence: Sentence;
  remedies: string[];
}

export interface NamePart {
  at: number;
  second: Num;
  letter: string;
  sentence: Sentence;
  confidence: number;
}

export interface OrbitPart {
  at: number;
  second: Num;
  letter: string;
  sentence: Sentence;
  confidence: number;
  first: number;
  observed: Num[];
  frequencies: Num[];
  power: Num[];
  exponents: Num[];
  errors: Num[];
  counts: number[];
  convergence: Num[][];
  distances: Num[];
  window: number[];
  slope: Num;
  warnings: Sentence[];
}

export interface Preset {
  name: string;
  title: Sentence;
  notice: Sentence;
  spec: Spec;
}

export interface Presets {
  presets: Preset[];
  limits: Record<string, number>;
}

export interface Problem {
  problem: string;
  say: Sentence;
}

export interface ProofLine {
  id: string;
  started: string;
  state: "proved" | "well" | "open";
  verdict: Sentence;
  seconds: number;
}

export interface ProofView {
  line: ProofLine;
  command: string;
  cause: Sentence;
  on: Sentence;
  changes: Change[];
  diff: string;
  lines: string;
  table_title: Sentence;
  measure: Sentence;
  chance: Num;
  metrics: MetricRow[];
  rows: SeedRow[];
  placebo: number[];
  curves: CurvePair;
  map_before: MapPicture | null;
  map_after: MapPicture | null;
  tried: TriedRow[];
  excluded: Sentence[];
}

export interface RunDelta {
  steps: number[];
  loss: Num[];
  map_steps: number[];
  wind: Num[][];
  norm: Num[][];
  view: View | null;
  run: RunLine | null;
  events: EventFlag[] | null;
  flow: Flow | null;
}

export interface RunLine {
  id: string;
  state: "live" | "finished" | "lost" | "unreadable";
  started: string;
  changed: number;
  steps: number;
  verdict: Sentence;
  wind: WindWord | null;
  trouble: Sentence | null;
  has_proof: boolean;
}

export interface RunList {
  folder: string;
  runs: RunLine[];
}

export interface RunSnapshot {
  run: RunLine;
  view: View;
  events: EventFlag[];
  flow: Flow;
  age: number;
  written: boolean;
}

export interface SeedRow {
  seed: number;
  before: Num;
  after: Num;
  gain: Num;
}

export interface Sentence {
  en: string;
  ja: string;
}

export interface SessionOpened {
  session: string;
  misfits: Misfit[];
  frame: Frame | null;
  points: number[][];
  code: string;
}

export interface SessionRequest {
  spec: unknown;
  table: string;
}

export interface Setting {
  id: string;
  command: string;
  started: string;
  ended: string;
  reason: string;
  optimizer: Record<string, unknown>;
  loss_kind: string;
  versions: Record<string, string>;
  environment: Record<string, unknown>;
  seeds: Record<string, unknown>;
}

export interface Shown {
  value: Num;
  shown: string;
}

export interface Spec {
  task: "spiral" | "circles" | "xor" | "sine" | "parity" | "digits" | "table";
  samples: number;
  noise: number;
  blocks: Block[];
  initialisation: "default" | "zeros" | "normal" | "xavier" | "he" | "orthogonal";
  gain: number;
  optimizer: "sgd" | "momentum" | "nesterov" | "rmsprop" | "adam" | "adamw";
  learning_rate: number;
  batch_size: number;
  clip: number | null;
  seed: number;
  is_linear: boolean;
  has_shortcuts: boolean;
}

export interface StabilityPicture {
  title: Sentence;
  steps: number[];
  value: Num[];
  limit: Num[];
}

export interface SurfaceRequest {
  plane: "random" | "hessian" | "pca";
}

export interface SurfaceSeen {
  landscape: Landscape;
}

export interface TableRequest {
  text: string;
}

export interface TableTaken {
  table: string;
  columns: string[];
  target: string;
  classes: string[];
  rows: number;
  n_dropped: number;
}

export interface TileGrid {
  low: number;
  high: number;
  side: number;
  deepest: number;
}

export interface TilePart {
  z: number;
  x: number;
  y: number;
  shades: string;
  trained: number;
}

export interface TrainabilityPart {
  x: Num[];
  y: Num[];
  shades: string;
  converged: number;
  dimension: Num;
  dimension_error: Num;
  engine: string;
}

export interface TriedRow {
  names: string[];
  told: string;
  codes: string[];
  steps: number;
  score: Num;
  gain: Num;
  why: Sentence;
  helped: boolean;
  is_accepted: boolean;
}

export interface TunnelHome {
  presets: TunnelPreset[];
  limits: Record<string, number>;
  letters: Record<string, Sentence>;
  colours: Record<string, string>;
  tiles: TileGrid;
}

export interface TunnelPreset {
  name: string;
  title: Sentence;
  notice: Sentence;
  observable: Sentence;
  weights: number;
  low: number;
  high: number;
  least: number;
  most: number;
  members: number;
  transient: number;
  keep: number;
  second: Sentence;
  second_low: number;
  second_high: number;
  is_whole: boolean;
  rows: number;
  columns: number;
}

export interface TunnelWish {
  client: string;
  kind: "diagram" | "regimes" | "orbit" | "trainability" | "tiles" | "names";
  preset: string;
  low: number;
  high: number;
  members: number;
  transient: number;
  keep: number;
  at: number;
  y_low: number;
  y_high: number;
  rows: number;
  second: number | null;
  tiles: [number, number, number][];
  rates: number[];
}

export interface View {
  wind: WindWord;
  verdict: Sentence;
  last_step: number;
  map: MapPicture;
  loss: LossPicture;
  stability: StabilityPicture;
  growth: GrowthPicture;
  findings: Card[];
  suppressed: Sentence | null;
  excluded: Sentence[];
  checks: Sentence[];
  layers: LayerRow[];
  blind: string[];
  setting: Setting;
}

export interface WindWord {
  word: Sentence;
  symbol: string;
  value: number;
}

export const PALETTE: { light: [number, string][]; dark: [number, string][]; limits: [number, number]; healthy: [number, number]; nan: string } = {"light": [[-6.0, "#1b2454"], [-4.25, "#4a7ab8"], [-2.5, "#c1d6dd"], [-1.0, "#e2f0e8"], [0.5, "#e5dec4"], [1.25, "#f09e44"], [2.0, "#8c1e16"]], "dark": [[-6.0, "#1b2454"], [-4.25, "#4a7ab8"], [-2.5, "#324856"], [-1.0, "#2b3a3a"], [0.5, "#56503c"], [1.25, "#f09e44"], [2.0, "#8c1e16"]], "limits": [-6.0, 2.0], "healthy": [-2.5, 0.5], "nan": "#c2189a"};

export const SCALE: WindWord[] = [{"word": {"en": "dead calm", "ja": "無風"}, "symbol": "◯", "value": -2}, {"word": {"en": "light air", "ja": "弱風"}, "symbol": "◌", "value": -1}, {"word": {"en": "breeze", "ja": "微風"}, "symbol": "〜", "value": 0}, {"word": {"en": "strong wind", "ja": "強風"}, "symbol": "≋", "value": 1}, {"word": {"en": "storm", "ja": "暴風"}, "symbol": "⚡", "value": 2}, {"word": {"en": "hurricane", "ja": "颶風"}, "symbol": "✕", "value": 3}];
