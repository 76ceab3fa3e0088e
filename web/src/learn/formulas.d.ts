declare module "virtual:formulas" {
  const formulas: Record<string, string>;
  export default formulas;
}
