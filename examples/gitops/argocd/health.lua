-- Health of a SynthSweep, SynthRecipe or SynthDataset for Argo CD, from the conditions that kstatus reads too.
local health = { status = "Progressing", message = "No operator has observed the latest edit yet." }
local status = obj.status
if status == nil or status.conditions == nil or status.observedGeneration ~= obj.metadata.generation then
  return health
end
for _, condition in ipairs(status.conditions) do
  if condition.type == "Ready" then
    health.message = condition.message
  end
  if condition.status == "True" then
    if condition.type == "Ready" then
      health.status = "Healthy"
    elseif condition.type == "Stalled" then
      health.status = "Degraded"
    elseif condition.type == "Suspended" then
      health.status = "Suspended"
    end
  end
end
return health
