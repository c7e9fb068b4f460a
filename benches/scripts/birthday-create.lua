-- People to create, each with an address of their own. The argument is the day on which all were born.
local run, number, birthday

function init(arguments)
  run, number, birthday = os.time(), 0, arguments[1]
end

function request()
  number = number + 1
  local person = '{"name":"Ada Lovelace","email":"ada.%d.%d@example.org","birthday":"%s","time_zone":"UTC"}'
  local headers = { ["Content-Type"] = "application/json" }
  return wrk.format("POST", nil, headers, person:format(run, number, birthday))
end
