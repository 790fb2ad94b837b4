#!/bin/sh
# interface.sh SOURCE: every function that gives a tensor is a step of random programs: it has a row in rules.def.
cd "$1" || exit 1
missing=
for name in $(grep -ho 'TN_API tn_tensor \*tn_[a-z0-9_]*(' include/tenon/ops.h include/tenon/nn.h | sed 's/.*\*//; s/(//'); do
  call=${name%_with}
  call=${call%_layer}
  grep -q "$call(" src/oracle/rules.def || missing="$missing $name"
done
[ -z "$missing" ] || { echo "no random program calls$missing"; exit 1; }
