using Microsoft.Extensions.Configuration;

namespace ResilientHosting.Resources;

/// <summary>
/// The section of the configuration a pool is bound to. It is applied after all code, wherever in the program that stands, so that an
/// operator has the last word.
/// </summary>
internal sealed class PoolConfiguration<T>(IConfiguration configuration, string section, string? pool)
    : IPostConfigureOptions<ResourcePoolOptions<T>>, IValidateOptions<ResourcePoolOptions<T>>
    where T : class
{
    public IConfigurationSection Section { get; } = configuration.GetSection(section);

    public void PostConfigure(string? name, ResourcePoolOptions<T> options)
    {
        if (name == (pool ?? Options.DefaultName))
        {
            Bind(options);
        }
    }

    /// <summary>Says what <see cref="PostConfigure"/> could not make sense of.</summary>
    public ValidateOptionsResult Validate(string? name, ResourcePoolOptions<T> options)
    {
        if (name != (pool ?? Options.DefaultName))
        {
            return ValidateOptionsResult.Skip;
        }

        var failures = Bind(new ResourcePoolOptions<T>());
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }

    /// <summary>The full key of a setting, if its value comes from the configuration.</summary>
    public string? FindKey(string setting)
    {
        var found = Section.GetSection(setting);
        return found.Exists() ? found.Path : null;
    }

    private List<string> Bind(ResourcePoolOptions<T> options)
    {
        var failures = new List<string>();
        if (!string.IsNullOrEmpty(Section.Value))
        {
            failures.Add($"{Section.Path} is '{Section.Value}', but must be a section with settings of the pool of {ResourceName.Of<T>(pool)}.");
        }

        foreach (var entry in Section.GetChildren())
        {
            var setting = PoolSetting<T>.All.FirstOrDefault(known => string.Equals(known.Name, entry.Key, StringComparison.OrdinalIgnoreCase));
            if (setting is null)
            {
                failures.Add($"{entry.Path} is no setting of a pool. There are {string.Join(", ", PoolSetting<T>.All.Select(known => known.Name))}.");
            }
            else if (entry.GetChildren().Any())
            {
                failures.Add($"{entry.Path} is a section, but must be {setting.Expected}.");
            }
            else if (!setting.TrySet(options, entry.Value))
            {
                failures.Add($"{entry.Path} is '{entry.Value}', but must be {setting.Expected}.");
            }
        }

        return failures;
    }
}
