#!/bin/bash
# Sessions of adv5c. NEW is this checkout's alur, OLD one of 50f9eab^ (before imported cases had terms):
#   go build -o /tmp/adv5c/alur ./cmd/alur
#   git worktree add --detach /tmp/adv5c/oldsrc 50f9eab^ && (cd /tmp/adv5c/oldsrc && go build -o /tmp/adv5c/alur-old ./cmd/alur)
NEW=/tmp/adv5c/alur OLD=/tmp/adv5c/alur-old HERE=$(cd "$(dirname "$0")" && pwd)
cd "$(mktemp -d)" || exit
post() { curl -s -XPOST "http://127.0.0.1:18799/api/v1/$1" -H 'Content-Type: application/json' -d "$2"; echo; }
serve() { $NEW serve --listen 127.0.0.1:18799 >serve.out 2>&1 & pid=$!; sleep 5; }

echo "== A. cases of an earlier build: backtest by their very own definition; a note makes a late case on time"
$OLD import xes "$HERE/l.xes" --workflow "$HERE/old.yaml" --tenant 11.71
$NEW workflow backtest "$HERE/old.yaml" --tenant 11.71
$NEW request list | grep old-permits
serve
r=$($NEW request list --json 2>/dev/null | grep -B9 '"case": "1"' | sed -n 's/.*"reference": "\(.*\)".*/\1/p')
[ -n "$r" ] || r=$(curl -s "http://127.0.0.1:18799/api/v1/requests?tenant=11.71" | python3 -c "import json,sys; print([x['reference'] for x in json.load(sys.stdin)['requests'] if x.get('case')=='1'][0])")
post "requests/$r/actions" '{"action":"note","actor":{"id":"c1","role":"clerk","capacity":"officer"}}'
sleep 3; kill $pid; wait $pid
$NEW request list | grep old-permits; $NEW term show "$r"

echo "== B. a term that is due at a date: the page of the service, a date of 1850, a date of last year"
cd "$(mktemp -d)" || exit
$NEW workflow publish "$HERE/crowds.yaml" --tenant 11.71 --by l --reason x --waive standard=x --waive alone=x
serve
curl -s "http://127.0.0.1:18799/layanan/11.71/crowds?lang=en" | sed 's/<[^>]*>/ /g' | grep -A4 'Time that the law'
for held in 1850-01-01T00:00:00Z 2025-12-10T09:00:00+07:00; do
  post requests '{"tenant":"11.71","service":"crowds","actor":{"id":"p1","role":"applicant","capacity":"self"},"facts":{"held":"'$held'"}}'
done
sleep 3
r=$(curl -s "http://127.0.0.1:18799/api/v1/requests?tenant=11.71&service=crowds" | python3 -c "import json,sys; print(json.load(sys.stdin)['requests'][0]['reference'])")
post "requests/$r/actions" '{"action":"grant","actor":{"id":"c1","role":"clerk","capacity":"officer"}}'
kill $pid; wait $pid
$NEW term sweep; echo "exit $?"
$NEW term list --ombudsman; for x in $($NEW request list | awk '$3=="crowds"{print $1}'); do $NEW term show $x; done

echo "== C. working days before the calendar begins: all are on time"
cd "$(mktemp -d)" || exit
L=$HERE/../../shared/data/logs/receipt.xes.gz
$NEW workflow discover "$L" 2>/dev/null | sed '300,$s/due: deadline/budget: 1 working day/' > w.yaml
$NEW import xes "$L" --workflow w.yaml --tenant 33.15
$NEW term show "$($NEW request list --limit 1 --json | sed -n 's/.*"reference": "\(.*\)".*/\1/p')"

echo "== D. the office's silence called a lapse: nothing is found"
$NEW workflow check "$HERE/lapse2t.yaml"; $NEW workflow test "$HERE/lapse2t.yaml"
sed 's/ground: lapse/ground: deemed_refusal/' "$HERE/lapse2t.yaml" > refusal.yaml; $NEW workflow check refusal.yaml
