# bash completion for trueup
_trueup() {
  local word command flags commands="run plan apply validate init import status why deployment deployment:info version product node node:info audit app:ps log sync retry approve pause resume schema explain completion help"
  COMPREPLY=()
  local current="${COMP_LINE:0:COMP_POINT}"
  current="${current##* }"
  for word in ${COMP_LINE:0:COMP_POINT}; do
    case " $commands " in *" $word "*) command=$word ;; esac
  done
  case $command in
    run) flags=" --help --state --config --repo --branch --path --node" ;;
    plan) flags=" --help --json --state --config --repo --branch --path --node --rev --base --offline --format" ;;
    apply) flags=" --help --json --state --config --repo --branch --path --node --rev" ;;
    validate) flags=" --help --json --config --repo --branch --path --rev --format" ;;
    init) flags=" --help --json" ;;
    import) flags=" --help --json --node --project --stage --out" ;;
    status) flags=" --help --json --state --config --node --project --stage" ;;
    why) flags=" --help --json --state --config --node --project --stage" ;;
    deployment) flags=" --help --json --state --config --node --project --stage" ;;
    deployment:info) flags=" --help --json --state --config --node --project --stage" ;;
    version) flags=" --help --json --state --config --project --stage" ;;
    product) flags=" --help --json --state --config --project --stage" ;;
    node) flags=" --help --json --state --config" ;;
    node:info) flags=" --help --json --state --config" ;;
    audit) flags=" --help --json --state --config --actor --since --verify --export" ;;
    app:ps) flags=" --help --json --state --config --node --project --stage" ;;
    log) flags=" --help --json --state --config --node --project --stage --follow --lines --after" ;;
    sync) flags=" --help --json --state --config --wait --timeout" ;;
    retry) flags=" --help --json --state --config --node --wait --timeout --user" ;;
    approve) flags=" --help --json --state --config --wait --timeout --user" ;;
    pause) flags=" --help --json --state --config --user" ;;
    resume) flags=" --help --json --state --config --user" ;;
    schema) flags=" --help" ;;
    explain) flags=" --help --json --repo --path --rev --merged" ;;
    completion) flags=" --help" ;;
    help) flags=" --help" ;;
    *) flags="$commands --help --version" ;;
  esac
  COMPREPLY=($(compgen -W "$flags" -- "$current"))
  # a colon separates words for bash: give back what is behind it
  if [[ $current == *:* ]]; then COMPREPLY=("${COMPREPLY[@]#"${current%:*}:"}"); fi
}
complete -o default -F _trueup trueup
