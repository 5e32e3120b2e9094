"""Sums in words: the formula, the result and what was assumed; and what is missing, by name."""

from __future__ import annotations

# What a sum needs and was not said.
NAMES = {
    "principal": "el monto",
    "rate": "la tasa (y si es mensual, TNA o TEA)",
    "months": "el plazo (en meses o años)",
    "days": "el plazo (en días o meses)",
    "count": "la cantidad de cuotas",
    "income": "tus ingresos por mes",
    "pay": "el mejor sueldo del semestre",
    "inflation": "la inflación del mismo período",
    "amounts": "los dos valores (el de antes y el de ahora)",
    "target": "cuánto querés juntar",
    "cash_price": "el precio de contado",
}
MISSING = (
    "Para hacerte la cuenta me falta {missing}. Decímelo y la completo; no supongo tasas ni montos, porque el "
    "resultado "
    "cambiaría mucho."
)
RATE_ASSUMED_NOMINAL = " Tomé la tasa como nominal anual (TNA); si es efectiva o mensual, decime y la rehago."
RATE_ASSUMED_EFFECTIVE = " Tomé la tasa como efectiva anual; si es nominal o mensual, decime y la rehago."
NO_PROMISE = (
    " Es una cuenta con la tasa que dijiste, no una promesa; falta descontar comisiones, impuestos e inflación."
)

EXPRESSION = "**{expression} = {result}**"
PERCENT_OF = "**El {percent} de {amount} es {result}.** La cuenta: {amount} × {percent} ÷ 100."
PERCENT_MORE = (
    "**{amount} más {percent} son {result}.** La cuenta: {amount} × (1 + {percent}) = {result}; el aumento es {part}."
)
PERCENT_LESS = (
    "**{amount} menos {percent} son {result}.** La cuenta: {amount} × (1 − {percent}) = {result}; la baja es {part}."
)
CHANGE = (
    "**La variación es de {percent}:** de {before} a {after}. La cuenta: ({after} − {before}) ÷ {before} = {percent}."
)
SHARE = "**{part} es el {percent} de {whole}.** La cuenta: {part} ÷ {whole} × 100."
EFFECTIVE = (
    "**Una TNA de {nominal} equivale a una TEA de {effective}** si se capitaliza todos los meses ({monthly} "
    "mensual). La "
)
EFFECTIVE += "fórmula: TEA = (1 + TNA ÷ 12)^12 − 1."
NOMINAL = (
    "**Una TEA de {effective} equivale a una TNA de {nominal}** capitalizada por mes ({monthly} mensual). La fórmula: "
)
NOMINAL += "TNA = 12 × ((1 + TEA)^(1/12) − 1)."
FROM_MONTHLY = (
    "**Un {monthly} mensual equivale a una TEA de {effective}** y a una TNA de {nominal}. Las fórmulas: "
    "TEA = (1 + i)^12 "
)
FROM_MONTHLY += "− 1; TNA = i × 12."
REAL = (
    "**La tasa real es {real}.** Con una tasa de {nominal} y una inflación de {inflation}: (1 + {nominal}) ÷ (1 + "
    "{inflation}) − 1 = {real}. {meaning}"
)
REAL_GAINS = "Le ganás a la inflación por esa diferencia, antes de impuestos."
REAL_LOSES = "Aunque el número crezca, perdés poder de compra."
INSTALMENT = (
    "**La cuota sería de {instalment} por mes.** Préstamo de {principal} en {count} cuotas al {rate}, sistema "
    "francés: cuota = capital × i ÷ (1 − (1 + i)^−n). En total pagarías {total}: {interest} son intereses. No incluye "
    "impuestos, seguros ni gastos: compará por el CFT, que sí los trae."
)
IN_INSTALMENTS = (
    "**En total pagarías {total}:** {count} cuotas de {instalment}. Frente a {cash_price} de contado son {extra} "
    "más, un "
    "{percent}. Si la inflación esperada del plazo es mayor que ese recargo, las cuotas fijas pueden convenir; si "
    "no, el "
    "contado."
)
INSTALMENTS_TOTAL = "**En total pagarías {total}:** {count} cuotas de {instalment}. La cuenta: {count} × {instalment}."
DEPOSIT = (
    "**Ganarías {interest} y terminarías con {total}.** Depósito de {principal} a {days} días con una TNA "
    "de {nominal}: "
    "interés = capital × TNA × días ÷ 365."
)
DOUBLING = (
    "**Se duplica en {time}.** Con {rate} {period}: n = ln 2 ÷ ln(1 + i) = {periods}. La regla del 72 da una idea "
    "rápida: "
    "72 ÷ {percent} ≈ {rule}."
)
GROWTH = (
    "**Llegarías a {result}.** {parts} durante {term}, al {rate}: capital × (1 + i)^n{annuity}. Lo que pusiste "
    "suma {paid}; el rendimiento, {gain}."
)
ANNUITY = " + aporte × ((1 + i)^n − 1) ÷ i"
GROWTH_CAPITAL = "Con {capital} al inicio"
GROWTH_MONTHLY = "{monthly} por mes"
GROWTH_BOTH = "Con {capital} al inicio y {monthly} por mes"
GROWTH_ONLY_MONTHLY = "Con {monthly} por mes"
SAVING = (
    "**Tendrías que ahorrar {monthly} por mes** para llegar a {target} en {term}{start}, al {rate}: aporte = (meta − "
    "capital × (1 + i)^n) × i ÷ ((1 + i)^n − 1). Sin ningún rendimiento serían {plain} por mes."
)
SAVING_START = " partiendo de {capital}"
REACHED_IN = (
    "**Llegarías a {target} en {term}** ahorrando {monthly} por mes{start}, al {rate}. Sin ningún rendimiento serían "
    "{plain}."
)
BUDGET = (
    "**Con {income} por mes, la regla 50/30/20 da:**\n\n- **Necesidades (50 %):** {needs}\n- **Gustos (30 "
    "%):** {wants}\n"
    "- **Ahorro y deudas (20 %):** {savings}\n\nLa cuenta: {income} × 0,50; × 0,30; × 0,20. Es una guía: si lo "
    "básico se "
    "lleva más de la mitad, empezá por un ahorro más chico."
)
AGUINALDO = (
    "**Te corresponderían {result} brutos.** El aguinaldo es la mitad del mejor sueldo del semestre en proporción a lo "
    "trabajado: {pay} ÷ 12 × {months} = {result}. Después se descuentan los aportes (17 % en general)."
)
A_MONTH = "mensual"
A_YEAR = "anual"
# What an assistant is told of a sum.
INSTRUCTION = "La cuenta ya está hecha; usá estos números y no hagas otra: {sum}"
INSTRUCTION_MISSING = "Pidió una cuenta y faltan datos; no la inventes: {sum}"
