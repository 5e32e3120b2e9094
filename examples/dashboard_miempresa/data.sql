-- Invented orders: 360 of dashboard_miempresa (216 inbound, 144 outbound) and 90 of another project, which must never show.

INSERT INTO data_orders (
    project_name, customer, warehouse, warehouse_city_state, order_number, shipment_number, order_type, order_class,
    status, amount, source_state, destination_state, date, year, quarter, month, month_name, week, day, internal_note
)
SELECT
    project,
    (ARRAY['Acme Logistics', 'Bodegas del Sur', 'Comercial Andina', 'Distribuidora Norte', 'Electro Plaza',
           'Ferretería Ávila'])[i % 6 + 1] || CASE project WHEN 'otra_empresa' THEN ' (otra)' ELSE '' END,
    (ARRAY['Dallas', 'Miami', 'Reno', 'Savannah'])[i % 4 + 1],
    (ARRAY['Dallas, TX', 'Miami, FL', 'Reno, NV', 'Savannah, GA'])[i % 4 + 1],
    'ORD-' || (offset_ + i),
    'SHP-' || (2 * offset_ + i),
    CASE WHEN i % 5 < 3 THEN 'Inbound' ELSE 'Outbound' END,
    (ARRAY['Sales Order', 'Sales Order', 'Sales Order', 'Purchase Order', 'Return', 'Warehouse Transfer',
           'Material Transfer'])[i % 7 + 1],
    (ARRAY['pending', 'in_transit', 'in_transit', 'delivered', 'delivered', 'delivered', 'delivered', 'delivered',
           'delivered'])[i % 9 + 1],
    (i * 37 % 1000) + 0.25 * (i % 4),
    (ARRAY['TX', 'CA', 'NY'])[i % 3 + 1],
    (ARRAY['FL', 'WA'])[i % 2 + 1],
    day,
    extract(year FROM day), extract(quarter FROM day), extract(month FROM day), trim(to_char(day, 'Month')),
    extract(week FROM day), extract(day FROM day),
    'nota interna'
FROM (VALUES ('dashboard_miempresa', 360, 1000), ('otra_empresa', 90, 5000)) AS projects (project, orders, offset_)
CROSS JOIN LATERAL generate_series(1, orders) AS i
CROSS JOIN LATERAL (SELECT DATE '2024-01-01' + 2 * i AS day) AS days;
